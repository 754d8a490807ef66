"""What merging does in every phase: barriers, midpoints and gains of averaging, for every arm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import xarray as xr

from phasezoo.report.intervals import BLOCK, mean_of
from phasezoo.report.merging.entries import arm_title, titled
from phasezoo.report.merging.measures import ARM, MIDDLE, TRAIN, arms_of, barriers, in_unit
from phasezoo.report.panels import LOSS, POINTS, Panel
from phasezoo.report.summary import Row, per_phase
from phasezoo.report.tables import Entry, Table, number
from phasezoo.vocabulary import PAIR, SEED, Phase

Of = Callable[[xr.Dataset], xr.DataArray]


def _soup(name: str) -> Of:
    """Test error of a model alone minus that of a soup of the seeds of its block."""

    def gain(data: xr.Dataset) -> xr.DataArray:
        alone = data["baseline_error"].sel(baseline="single", drop=True)
        return 100 * (alone - data["soup_error"].sel(soup=name, drop=True)).astype("float64")

    return gain


def _checkpoints(data: xr.Dataset) -> xr.DataArray:
    """Test error of a model minus that of the mean of its late checkpoints."""
    gain = 100 * (data["single_error"] - data["checkpoint_soup_error"]).astype("float64")
    return gain.expand_dims({"alignment": ["none"]}, axis=-2)


PANELS = (
    Panel("Barrier of the training loss", LOSS, lambda data: barriers(data)[TRAIN]),
    Panel("Midpoint minus ends, test error", POINTS, lambda data: barriers(data)[MIDDLE], "signed"),
    Panel("Midpoint, test loss after temperature scaling", LOSS,
          lambda data: data["midpoint_calibrated_loss"]),
    Panel("Gain of the uniform soup of seeds", POINTS, _soup("uniform"), "signed"),
    Panel("Gain of the greedy soup of seeds", POINTS, _soup("greedy"), "signed"),
    Panel("Gain of averaging late checkpoints", POINTS, _checkpoints, "signed"),
)  # fmt: skip


def phase_tables(merging: xr.Dataset, phase: xr.DataArray, noun: str, loss: str) -> list[Table]:
    """A table per number: a line per arm, a column per phase that occurs; none without arms.

    The interval is that of `summary.per_phase`: a phase is a set of cells, of which these are some.

    Args:
        merging: results at one epoch.
        phase: `phase` over load and temperature.
        noun: what a label is called.
        loss: unit of the loss.
    """
    if not {"alignment", PAIR} <= set(merging.dims):
        return []
    panels = [in_unit(panel, loss) for panel in PANELS]
    made = [(panel, panel.of(merging)) for panel in panels]
    return [_table(panel, values, phase, noun) for panel, values in made if values.notnull().any()]


def _table(panel: Panel, values: xr.DataArray, phase: xr.DataArray, noun: str) -> Table:
    arms = {
        arm: values.sel(dict(zip(ARM, arm, strict=True)))
        for arm in arms_of(xr.Dataset({"mean": values}))
    }
    rows = {arm: per_phase(of, phase) for arm, of in arms.items()}
    bases = {arm: [_basis(row, arms[arm], phase) for row in found] for arm, found in rows.items()}
    usual = [Counter(column).most_common(1)[0][0] for column in zip(*bases.values(), strict=True)]
    lines = [
        (arm_title(*arm), [_entry(*of, panel) for of in zip(found, bases[arm], usual, strict=True)])
        for arm, found in rows.items()
    ]
    groups = [row.group for row in next(iter(rows.values()))]
    heads = [(f"{noun} {group}", "", n) for group, n in zip(groups, usual, strict=True)]
    return Table(f"{titled(panel)}, per {noun}", "aligned, corrected", heads, lines)


def _entry(row: Row, basis: str, usual: str, panel: Panel) -> Entry:
    low, high = (number(end, panel) for end in (row.low, row.high))
    interval = f"[{low}, {high}]" if np.isfinite(row.low) else ""
    return Entry(number(row.mean, panel), interval, "" if basis == usual else basis)


def _basis(row: Row, values: xr.DataArray, phase: xr.DataArray) -> str:
    """``9 pairs of 9 models, 3 cells``."""
    cells = f"{row.cells} cell{'s' * (row.cells != 1)}"
    replicate = next(dim for dim in (PAIR, SEED, BLOCK) if dim in values.dims)
    counted = f"{row.values} {'model' if replicate == SEED else replicate}{'s' * (row.values != 1)}"
    if replicate != PAIR or not row.values:
        return f"{counted}, {cells}"
    here = values.where(phase == next(p for p in Phase if p.title == row.group))
    return f"{counted} of {mean_of(here).models} models, {cells}"

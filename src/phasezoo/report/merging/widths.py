"""Barriers against the load: one line per arm, with what chance of seeds does to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import xarray as xr
from matplotlib.figure import Figure

from phasezoo.report.arms import CORRECTED
from phasezoo.report.canvas import WIDTH, styled
from phasezoo.report.colours import WAYS
from phasezoo.report.intervals import means_over
from phasezoo.report.merging.axes import draw_line, load_axis, value_axis, way_keys
from phasezoo.report.merging.entries import (
    arm_title,
    basis,
    entry,
    labels_of,
    name_of,
    titled,
)
from phasezoo.report.merging.measures import ARM, LEAST, arms_of
from phasezoo.report.panels import Panel
from phasezoo.report.tables import Table
from phasezoo.vocabulary import LOAD

TOGETHER = 8  # columns of a table; more do not fit on the page

Means = Mapping[str, xr.Dataset]


def against_load(found: xr.Dataset, names: Sequence[str]) -> dict[str, xr.Dataset]:
    """Means over (load, alignment, correction) of some barriers, with intervals.

    Args:
        found: of `measures.barriers`, at one epoch.
        names: which of them.
    """
    ordered = found.sortby(LOAD)
    return {name: means_over(ordered[name], [LOAD, *ARM], LEAST[name]) for name in names}


def load_figure(means: Means, panels: Mapping[str, Panel]) -> Figure:
    """A row of panels per measure, a column per correction, in each a line per alignment."""
    first = next(iter(means.values()))
    corrections = first["correction"].values.tolist()
    ways = list(dict.fromkeys(way for way, _ in arms_of(first[["mean"]])))
    rows, columns = len(means), len(corrections)
    if columns == 1:
        rows, columns = columns, rows
    with styled():
        figure = Figure(figsize=(WIDTH, 2.9 * rows + 0.7), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False, sharey="row" if rows > 1 else False)
        places = [(name, correction) for name in means for correction in corrections]
        for axes, (name, correction) in zip(grid.ravel(), places, strict=True):
            of = means[name].sel(correction=correction)
            load_axis(axes, first[LOAD])
            for index, way in enumerate(ways):
                draw_line(axes, WAYS[way], (index, len(ways)), LOAD, of.sel(alignment=way))
            value_axis(axes, panels[name], means[name])
            axes.set_title(f"{panels[name].title},\n{CORRECTED[correction]}")
            axes.set_ylabel(panels[name].unit)
        figure.legend(handles=way_keys(ways), loc="outside lower center", ncols=4)
    return figure


def load_tables(means: Means, panels: Mapping[str, Panel]) -> list[Table]:
    """A table per measure, one line per arm, one column per value of the load."""
    return [
        _table(panels[name], of.isel({LOAD: part}))
        for name, of in means.items()
        for part in _parts(of.sizes[LOAD])
    ]


def _parts(count: int) -> Iterator[slice]:
    for start in range(0, count, TOGETHER):
        yield slice(start, start + TOGETHER)


def _table(panel: Panel, of: xr.Dataset) -> Table:
    heads = [(f"{name_of(of[LOAD])} {label}", "", basis(at))
             for label, at in zip(labels_of(of[LOAD]), _along(of, LOAD), strict=True)]  # fmt: skip
    most = [int(at["values"].max()) for at in _along(of, LOAD)]
    lines = [
        (
            arm_title(*arm),
            [entry(at, panel, n) for at, n in zip(_along(line, LOAD), most, strict=True)],
        )
        for arm in arms_of(of[["mean"]])
        for line in [of.sel(dict(zip(ARM, arm, strict=True)))]
    ]
    return Table(titled(panel), "aligned, corrected", heads, lines)


def _along(of: xr.Dataset, axis: str) -> list[xr.Dataset]:
    return [of.isel({axis: place}) for place in range(of.sizes[axis])]

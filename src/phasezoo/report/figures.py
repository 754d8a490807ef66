"""Figures over the grid: the phase diagram, and numbers with the borders of the phases."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from phasezoo.report import grid
from phasezoo.report.canvas import WIDTH, panelled, styled
from phasezoo.report.colours import PHASE_COLOURS, draw_colour_bar, ink_on, scale_of
from phasezoo.report.panels import TEST_ERROR, Panel
from phasezoo.report.results import ZooResults
from phasezoo.report.summary import cell_means
from phasezoo.vocabulary import FIVE_PHASES, LOAD, PHASE_MEANINGS, TEMPERATURE, Phase


def phase_map(results: ZooResults) -> Figure:
    """The phase diagram over the test error, and beside it the phase of every cell."""
    phase = results.phase
    errors = cell_means(TEST_ERROR.of(results.at_epoch("metrics")))
    with styled():
        figure = Figure(figsize=(WIDTH, 5.6), layout="constrained")
        left, right = figure.subplots(1, 2)
        drawn = grid.draw_cells(left, errors, *scale_of(TEST_ERROR.scale, errors.values))
        draw_colour_bar(left, drawn, "test error (%)")
        left.set_title(f"Test error at epoch {results.epoch}, mean over seeds")
        _draw_phases(right, phase)
        for axes in (left, right):
            grid.draw_borders(axes, phase)
        grid.name_regions(left, phase)
        lacking = bool(errors.isnull().any() or (phase == Phase.MISSING).any())
        key = [*_phase_key(phase), *_common_key(lacking)]
        figure.legend(handles=key, loc="outside lower center", ncols=4)
    return figure


def panel_figure(panels: Sequence[Panel], data: xr.Dataset, phase: xr.DataArray) -> Figure:
    """Numbers over the grid with the borders of the phases drawn in.

    Args:
        panels: what to draw.
        data: a group at one epoch.
        phase: `phase` over load and temperature.
    """
    shape = float(np.clip(phase.sizes[TEMPERATURE] / phase.sizes[LOAD], 0.5, 1.3))
    means = [cell_means(panel.of(data)) for panel in panels]
    with styled():
        figure, all_axes = panelled(len(panels), 0.8 + 2.2 * shape)
        for axes, panel, values in zip(all_axes, panels, means, strict=True):
            scale = scale_of(panel.scale, _shared(panel, panels, means))
            drawn = grid.draw_cells(axes, values, *scale)
            draw_colour_bar(axes, drawn, panel.unit)
            grid.draw_borders(axes, phase)
            axes.set_title(panel.title)
        lacking = any(bool(values.isnull().any()) for values in means)
        figure.legend(handles=_common_key(lacking), loc="outside lower center", ncols=2)
    return figure


def _shared(panel: Panel, panels: Sequence[Panel], means: Sequence[xr.DataArray]) -> np.ndarray:
    """The values that set the scale of `panel`: those of its family."""
    kin = [
        mean.values.ravel()
        for other, mean in zip(panels, means, strict=True)
        if other is panel or (panel.family and other.family == panel.family)
    ]
    return np.concatenate(kin)


def _draw_phases(axes: Axes, phase: xr.DataArray) -> None:
    """The phase of every cell, in colour and in words."""
    known = [p for p in Phase if p != Phase.MISSING]
    colours = ListedColormap([PHASE_COLOURS[p] for p in known])
    norm = Normalize(min(known) - 0.5, max(known) + 0.5)
    grid.draw_cells(axes, phase.where(phase != Phase.MISSING), norm, colours)
    codes = grid.oriented(phase).values
    size = 8.5 if codes.shape[1] <= grid.CROWDED else 5.5
    for (row, column), code in np.ndenumerate(codes):
        found = Phase(int(code))
        if found > Phase.UNCLASSIFIED:
            ink = ink_on(PHASE_COLOURS[found])
            font = {"color": ink, "size": size, "weight": "bold"}
            axes.text(column + 0.5, row + 0.5, found.title, ha="center", va="center", fontdict=font)
    axes.set_title("Phase of each cell")


def _phase_key(phase: xr.DataArray) -> list[Patch]:
    shown = [*FIVE_PHASES, *([Phase.UNCLASSIFIED] if (phase == Phase.UNCLASSIFIED).any() else [])]
    return [
        Patch(color=PHASE_COLOURS[p], label=f"{p.title}: {PHASE_MEANINGS[p]}")
        if (phase == p).any()
        else Patch(color="white", label=f"{p.title}: {PHASE_MEANINGS[p]} (absent)")
        for p in shown
    ]


def _common_key(lacking: bool) -> list[Patch | Line2D]:
    border = Line2D([], [], color="black", linewidth=1.6, label="border of phases")
    return [border, *([grid.missing_key()] if lacking else [])]

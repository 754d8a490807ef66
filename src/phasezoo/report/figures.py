"""Numbers over the grid with the borders of the phases."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from phasezoo.report import grid
from phasezoo.report.canvas import panelled, styled
from phasezoo.report.colours import draw_colour_bar, scale_of
from phasezoo.report.panels import Panel
from phasezoo.report.summary import cell_means
from phasezoo.vocabulary import LOAD, TEMPERATURE

TITLE = 24  # letters in a line; a longer title runs into the colour bar


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
            axes.set_title(fill(panel.title, TITLE))
        lacking = any(bool(values.isnull().any()) for values in means)
        key = [grid.border_key(), *([grid.missing_key()] if lacking else [])]
        figure.legend(handles=key, loc="outside lower center", ncols=2)
    return figure


def _shared(panel: Panel, panels: Sequence[Panel], means: Sequence[xr.DataArray]) -> np.ndarray:
    """The values that set the scale of `panel`: those of its family."""
    kin = [
        mean.values.ravel()
        for other, mean in zip(panels, means, strict=True)
        if other is panel or (panel.family and other.family == panel.family)
    ]
    return np.concatenate(kin)

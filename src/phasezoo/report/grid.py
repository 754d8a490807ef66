"""Drawing a load x temperature grid: cells, borders of phases, names of phases.

Load falls to the right and temperature rises upwards. Cells are of one size whatever their values;
the ticks say the values.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import Colormap, Normalize
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from scipy.ndimage import label

from phasezoo.report.colours import MISSING
from phasezoo.vocabulary import HYPERPARAMETERS, LOAD, TEMPERATURE, Phase

Point = tuple[float, float]
CROWDED = 8  # from here on ticks are small and stand upright
LONG = 20  # letters of a name, from which on more is said of it on a line of its own


def oriented(values: xr.DataArray) -> xr.DataArray:
    """`values` as (temperature, load): the first row is hottest, the first column most loaded."""
    for axis in (LOAD, TEMPERATURE):
        order = np.argsort(values[axis].values)
        values = values.isel({axis: order[::-1] if _grows(values, axis) > 0 else order})
    return values.transpose(TEMPERATURE, LOAD)


def borders(phase: xr.DataArray) -> list[tuple[Point, Point]]:
    """Edges between neighbours of different phase, as segments ((x, y), (x, y)).

    The cell in column c and row r of `oriented` fills [c, c + 1] x [r, r + 1].
    """
    codes = oriented(phase).values
    upright = [
        ((c + 1.0, float(r)), (c + 1.0, r + 1.0))
        for r, c in np.argwhere(codes[:, :-1] != codes[:, 1:])
    ]
    level = [
        ((float(c), r + 1.0), (c + 1.0, r + 1.0)) for r, c in np.argwhere(codes[:-1] != codes[1:])
    ]
    return upright + level


def regions(phase: xr.DataArray) -> Iterator[tuple[Phase, Point]]:
    """Each connected region of a phase, with the middle of the cell nearest to its centre."""
    codes = oriented(phase).values
    for code in np.unique(codes[codes > 0]):
        parts, count = label(codes == code)
        for part in range(1, count + 1):
            cells = np.argwhere(parts == part)
            far = np.abs(cells - cells.mean(axis=0)).sum(axis=1)
            row, column = cells[far.argmin()]
            yield Phase(int(code)), (column + 0.5, row + 0.5)


def draw_cells(
    axes: Axes, values: xr.DataArray, norm: Normalize, colours: str | Colormap
) -> QuadMesh:
    """Draw values over (load, temperature), hatched where missing; returns the heat map."""
    grid = oriented(values)
    shown = np.ma.masked_invalid(grid.values)
    drawn = axes.pcolormesh(shown, norm=norm, cmap=colours, edgecolors="face", linewidth=0.3)
    drawn.set_rasterized(True)  # a picture takes a tenth of the bytes of that many shapes
    axes.invert_yaxis()
    axes.set_aspect("equal")
    for row, column in np.argwhere(~np.isfinite(grid.values)):
        axes.add_patch(Rectangle((column, row), 1, 1, **_missing()))
    _ticks(axes, grid)
    return drawn


def draw_borders(axes: Axes, phase: xr.DataArray) -> None:
    """Draw the borders of the phases, black on white so that they show on any colour."""
    segments = borders(phase)
    if not segments:
        return
    whole = Path.make_compound_path(*map(Path, segments))  # one shape takes a tenth of the bytes
    for colour, width in (("white", 3.6), ("black", 1.6)):
        lines = PathPatch(whole, fill=False, edgecolor=colour, linewidth=width, zorder=3)
        lines.set_capstyle("projecting")
        lines.set_snap(False)
        axes.add_artist(lines)


def name_regions(axes: Axes, phase: xr.DataArray) -> None:
    """Write the name of the phase into each of its regions."""
    size = 8 if phase.sizes[LOAD] > CROWDED else 11
    for found, (x, y) in regions(phase):
        axes.text(x, y, short(found), ha="center", va="center", weight="bold", size=size, zorder=4,
                  path_effects=[withStroke(linewidth=2.5, foreground="white")])  # fmt: skip


def short(phase: Phase) -> str:
    """A label that fits into a cell."""
    return phase.title.removesuffix("-trained")


def border_key() -> Line2D:
    """What the lines between cells are, for a legend."""
    return Line2D([], [], color="black", linewidth=1.6, label="border between labels")


def missing_key() -> Patch:
    """What stands for a missing value, for a legend."""
    return Patch(label="no value", **_missing())


def _missing() -> dict[str, Any]:
    return {"facecolor": MISSING, "edgecolor": "#8c8c8c", "hatch": "////", "linewidth": 0}


def _ticks(axes: Axes, grid: xr.DataArray) -> None:
    for axis, side, direction in (
        (LOAD, axes.xaxis, "load falls →"),
        (TEMPERATURE, axes.yaxis, "temperature rises →"),
    ):
        values, attrs = grid[axis].values, grid[axis].attrs
        meaning = HYPERPARAMETERS.get(attrs.get("hyperparameter", ""))
        crowded = len(values) > CROWDED
        side.set_ticks(
            np.arange(len(values)) + 0.5,
            [meaning.label(value) if meaning else f"{value:g}" for value in values],
            fontsize=6 if crowded else None,
            rotation=90 if crowded and axis == LOAD else 0,
        )
        side.set_tick_params(length=0)
        name = attrs.get("long_name", axis)
        # upright, it would be longer than a low grid; so would a long one be than a narrow grid
        gap = "\n" if axis == TEMPERATURE or len(name) > LONG else " "
        side.set_label_text(f"{name}{gap}({direction})")


def _grows(values: xr.DataArray, axis: str) -> int:
    """Sign of d(axis)/d(value)."""
    meaning = HYPERPARAMETERS.get(values[axis].attrs.get("hyperparameter", ""))
    return meaning.grows if meaning else 1

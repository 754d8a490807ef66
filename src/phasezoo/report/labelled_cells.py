"""The label of every cell: certain ones in full colour, others pale, those near a border marked."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Polygon

from phasezoo.report import grid
from phasezoo.report.colours import PHASE_COLOURS, ink_on, tint
from phasezoo.report.results import ZooResults
from phasezoo.vocabulary import Phase

SIDE = 4.5  # inches, of the longer side of a grid
LETTERS = 4.2  # of the largest font that stand side by side in a cell
CORNER = 0.24  # of a cell's side, of the mark of a cell near a border; less where cells are large
INSET = 0.07  # the same, from there to the border
NEAR = "near border"


def draw_labels(axes: Axes, results: ZooResults) -> None:
    """Draw the label of every cell, in colour and in words, with the marks of its doubt."""
    known = results.labelling.scheme.labels
    colours = _colours(known)
    index = _colour_index(results)
    grid.draw_cells(axes, index, Normalize(-0.5, len(colours) - 0.5), ListedColormap(colours))
    shown = grid.oriented(index).values
    confidence = grid.oriented(results.labels["confidence"]).values
    near = grid.oriented(results.labels["near_border"]).values == 1
    for row, column in np.argwhere(np.isfinite(shown)):
        place = int(shown[row, column])
        number = "" if place < len(known) else f"{100 * confidence[row, column]:.0f}"
        name = grid.short(known[place % len(known)])
        _write(axes, (column, row), (name, number), ink_on(colours[place]), max(shown.shape))
    for row, column in np.argwhere(near & np.isfinite(shown)):
        _mark(axes, (column, row), min(CORNER, 0.03 * max(shown.shape)))


def doubt_key(results: ZooResults) -> list[Artist]:
    """What pale cells and corners mean, for a legend."""
    criteria = results.labelling.criteria
    pale = f"pale: not certain, with its confidence in % (below {100 * criteria.confidence:g})"
    near = f"near a border: a threshold ×/÷ {criteria.factor:g} changes it"
    corner = [(-1, 1), (1, 1), (1, -1)]
    return [
        Patch(facecolor=tint(PHASE_COLOURS[results.labelling.scheme.labels[0]]), label=pale),
        Line2D([], [], linestyle="", marker=corner, markersize=6, color="black", label=near),
    ]


def _colours(known: tuple[Phase, ...]) -> list[str]:
    """Full colours of the labels, then their pale ones."""
    full = [PHASE_COLOURS[label] for label in known]
    return [*full, *map(tint, full)]


def _colour_index(results: ZooResults) -> xr.DataArray:
    """Position of each cell's colour; NaN where it has no label."""
    known, phase = results.labelling.scheme.labels, results.phase
    index = xr.full_like(phase, np.nan, dtype=float)
    for place, label in enumerate(known):
        index = index.where(phase != label, place)
    return index + len(known) * results.uncertain


def _write(
    axes: Axes, cell: tuple[int, int], words: tuple[str, str], ink: str, longer: int
) -> None:
    """A label, and small below it the confidence of one that is not certain."""
    (column, row), (name, number) = cell, words
    size = float(np.clip(0.27 * 72 * SIDE / longer, 5.5, 9)) * min(1, LETTERS / len(name))
    x, y = column + 0.5, row + 0.5 - (0.13 if number else 0)
    axes.text(x, y, name, color=ink, size=size, weight="bold", ha="center", va="center")
    if number:
        axes.text(x, y + 0.36, number, color=ink, size=0.85 * size, ha="center", va="center")


def _mark(axes: Axes, cell: tuple[int, int], side: float) -> None:
    """A triangle in the upper right corner of a cell."""
    right, top = cell[0] + 1 - INSET, cell[1] + INSET
    corners = [(right - side, top), (right, top), (right, top + side)]
    axes.add_patch(Polygon(corners, facecolor="black", edgecolor="white", linewidth=0.5, gid=NEAR))

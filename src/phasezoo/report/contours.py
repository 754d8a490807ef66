"""Lines over the grid along which a metric that decides crosses its threshold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from phasezoo.phases.scheme import Decision, Scale, Scheme
from phasezoo.report.grid import oriented

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
BESIDE = 1e-9  # a line on the edge of two cells belongs to both


@dataclass(frozen=True)
class Contour:
    """Where a metric crosses its threshold.

    Attributes:
        metric: which one.
        threshold: its value.
        lines: polylines [point, (x, y)]; the cell in column c and row r of `oriented` fills
            [c, c + 1] x [r, r + 1].
    """

    metric: str
    threshold: float
    lines: list[Floats]


def contours(labels: xr.Dataset, scheme: Scheme, at: Mapping[str, float]) -> list[Contour]:
    """The contour of every metric that decides, within the cells to which its question is put.

    Values stand at the centres of their cells; between these they are interpolated, the logarithm
    of losses and errors and the other metrics as they are. Only the cells asked play a part: up to
    their outer edges the nearest of them goes on.

    Args:
        labels: the numbers that decided, `NAME_of_cell` over (load, temperature).
        scheme: the questions.
        at: the thresholds.
    """
    cells = {n: oriented(labels[f"{n}_of_cell"]).values.astype(np.float64) for n in scheme.metrics}
    found = []
    for decision in scheme.decisions:
        threshold = at[decision.metric]
        values, level = _interpolable(decision, cells[decision.metric], threshold)
        asked = decision.asked(cells, at) & np.isfinite(values)
        lines = list(level_lines(values, level, asked))
        found.append(Contour(decision.metric, threshold, lines))
    return found


def _interpolable(decision: Decision, values: Floats, threshold: float) -> tuple[Floats, float]:
    """A metric and its threshold on the scale on which it is interpolated."""
    match decision.scale:
        case Scale.SIZE:
            return np.log(np.maximum(values, 1e-12)), float(np.log(threshold))
        case Scale.BARRIER:
            return values, -threshold
        case Scale.LIKENESS:
            return values, threshold


def level_lines(values: Floats, level: float, asked: Mask) -> Iterator[Floats]:
    """Polylines [point, (x, y)] where bilinearly interpolated values pass a level.

    Args:
        values: at the centres (c + 0.5, r + 0.5) of the cells, [row, column].
        level: to be passed.
        asked: cells that count; lines end at their outer edges.
    """
    counted = values[asked]
    if not counted.size or not counted.min() < level <= counted.max():
        return
    nearest = distance_transform_edt(~asked, return_distances=False, return_indices=True)
    padded = np.pad(values[tuple(nearest)], 1, mode="edge")
    rows, columns = (np.arange(size) - 0.5 for size in padded.shape)
    drawn = Figure().subplots().contour(columns, rows, padded, levels=[level])
    for line in drawn.allsegs[0]:
        yield from _within(line, asked)


def _within(line: Floats, asked: Mask) -> Iterator[Floats]:
    """The parts of a polyline that lie in cells that count."""
    points = [end for a, b in pairwise(line) for end in _cut(a, b)]
    part: list[Floats] = []
    for a, b in pairwise([line[0], *points]):
        if _counts((a + b) / 2, asked):
            part = [*part, b] if part else [a, b]
        elif part:
            yield np.array(part)
            part = []
    if part:
        yield np.array(part)


def _cut(a: Floats, b: Floats) -> list[Floats]:
    """The points after `a` at which a segment passes edges of cells, and `b`."""
    shares = {1.0}
    for start, end in zip(a, b, strict=True):
        low, high = sorted((start, end))
        edges = np.arange(np.floor(low) + 1, np.ceil(high))
        shares |= {float((edge - start) / (end - start)) for edge in edges}
    return [a + share * (b - a) for share in sorted(shares)]


def _counts(point: Floats, asked: Mask) -> bool:
    """Whether a point lies in, or on the edge of, a cell that counts."""
    touched = np.floor([point - BESIDE, point + BESIDE]).astype(int)
    inside = [(c, r) for c, r in touched if 0 <= r < asked.shape[0] and 0 <= c < asked.shape[1]]
    return any(asked[r, c] for c, r in inside)

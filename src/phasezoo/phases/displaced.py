"""The same map of phases, moved and mirrored: what labels of such shapes explain by chance."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from phasezoo.phases.projections import (
    Floats,
    Labels,
    Mask,
    Position,
    basis,
    effects,
    hat,
    position_columns,
)

_NONE = 1e-8  # freedom of a fit that leaves none


def displaced(phase: Labels) -> Iterator[Labels]:
    """Maps moved along both axes and mirrored, in every way but as they are.

    What comes in from beyond an edge is the map's own mirror image there, so it goes on across the
    edge as it did. What left on one side coming in on the other would put unlike neighbours beside
    each other, and such a map follows a smooth field less well than the true one: of fields that
    know nothing of the phases, 15 to 22 % would then be found at 5 % (`tests/phases`).
    All folds are moved together.

    Args:
        phase: labels [fold, load, temperature].
    """
    seen = {phase.tobytes()}
    for rows, columns in product(*(_windows(n) for n in phase.shape[1:])):
        moved = np.ascontiguousarray(phase[:, rows[:, None], columns])
        if moved.tobytes() not in seen:
            seen.add(moved.tobytes())
            yield moved


def _windows(length: int) -> list[Labels]:
    """Places along an axis, seen from everywhere in an endless row of it and its mirror images."""
    there_and_back = np.concatenate([np.arange(length), np.arange(length)[::-1]])
    return [np.roll(there_and_back, -shift)[:length] for shift in range(2 * length)]


def elsewhere(values: Floats, phase: Labels, position: Position) -> Floats:
    """What displaced maps explain beyond position, as `fits.beyond_position` does of the true one.

    In each, cells without a label take no part. A map that leaves no freedom in any fold, or says
    nothing beyond position in all of them, is none.

    Args:
        values: [fold, load, temperature].
        phase: labels of the same shape.
        position: what load and temperature may do by themselves.
    """
    folds = [_Fold(of_fold, position) for of_fold in values]
    found = []
    for maps in displaced(phase):
        left = [fold.left(labels) for fold, labels in zip(folds, maps, strict=True)]
        told = np.array([of for of in left if of is not None]).reshape(-1, 2)
        base, both = told.sum(axis=0)
        if base > 0 and (told[:, 0] != told[:, 1]).any():
            found.append(1 - both / base)
    return np.array(found)


class _Fold:
    """Numbers of one fold, with their fits on position by the cells that take part."""

    def __init__(self, values: Floats, position: Position) -> None:
        self._values, self._position = values, position
        self._there = np.isfinite(values)
        self._bases: dict[bytes, tuple[Floats, Floats]] = {}

    def left(self, labels: Labels) -> tuple[float, float] | None:
        """Variances left by position, and by labels as well; nothing where no freedom is."""
        taking = self._there & (labels > 0)
        of_base, rest = self._base(taking)
        groups = effects(labels[taking])
        own = basis(groups - of_base @ groups, len(groups) ** 0.5)
        freedom = len(rest) - np.trace(of_base)
        if freedom - own.shape[1] < _NONE:
            return None
        squares = rest @ rest
        if not own.shape[1]:
            return squares / freedom, squares / freedom
        by_labels = np.square(own.T @ rest).sum()
        return squares / freedom, (squares - by_labels) / (freedom - own.shape[1])

    def _base(self, taking: Mask) -> tuple[Floats, Floats]:
        """The projection onto position, and what it leaves of the numbers."""
        key = taking.tobytes()
        if key not in self._bases:
            of_base = hat(position_columns(taking, self._position))
            values = self._values[taking]
            self._bases[key] = of_base, values - of_base @ values
        return self._bases[key]

"""What many maps of labels explain of the same numbers."""

from __future__ import annotations

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


class Relabelled:
    """Numbers of cells that are asked under many labels; fits on position are made once.

    Args:
        values: [fold, load, temperature]; NaN: takes no part.
        position: what load and temperature may do by themselves.
    """

    def __init__(self, values: Floats, position: Position) -> None:
        self._folds = [_Fold(of_fold, position) for of_fold in values]

    def beyond(self, phase: Labels) -> float:
        """What labels explain beyond position (`fits.beyond_position`).

        Cells without a label take no part, nor do folds that no freedom is left in. Not a number
        where labels say nothing beyond position in any fold.

        Args:
            phase: [fold, load, temperature], 0 where there is none.
        """
        left = [fold.left(labels) for fold, labels in zip(self._folds, phase, strict=True)]
        told = np.array([of for of in left if of is not None]).reshape(-1, 2)
        base, both = told.sum(axis=0)
        if base > 0 and (told[:, 0] != told[:, 1]).any():
            return float(1 - both / base)
        return np.nan


class _Fold:
    """Numbers of one fold, and their fits on position by the cells that take part."""

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

"""Least squares of the numbers of cells on load and temperature, and with the phase as well."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from phasezoo.phases.projections import (
    Floats,
    Labels,
    Mask,
    Position,
    effects,
    hat,
    position_columns,
)

_ALONE = 1e-8  # leverage this close to 1: a cell that nothing else tells anything of


@dataclass(frozen=True)
class Fit:
    """Two nested fits of the numbers of one fold.

    Attributes:
        there: cells that take part, [load, temperature].
        values: their numbers [n].
        rests: what position, and position and phase, leave of them, [2, n].
        leverage: of every number in either fit, [2, n].
        of_phase: what the phase alone leaves, [n].
        phases: how many labels there are among them.
    """

    there: Mask
    values: Floats
    rests: Floats
    leverage: Floats
    of_phase: Floats
    phases: int

    @property
    def freedom(self) -> Floats:
        """Degrees of freedom that are left in either fit, [2]."""
        return np.asarray(np.round(len(self.values) - self.leverage.sum(axis=1)))

    @property
    def left(self) -> Floats:
        """Variance that either fit leaves, [2]: unbiased for numbers that have no phases."""
        return np.asarray(np.square(self.rests).sum(axis=1) / self.freedom)

    @property
    def squares(self) -> Floats:
        """Sums of squares: of all, and left by position, by the phase, by both; [4]."""
        around = self.values - self.values.mean()
        return np.array([of @ of for of in (around, self.rests[0], self.of_phase, self.rests[1])])

    @property
    def press(self) -> Floats:
        """Squared errors of either fit without the cell, of cells that others tell of; [2]."""
        told = 1 - self.leverage[1] > _ALONE
        errors = self.rests[:, told] / (1 - self.leverage[:, told])
        return np.asarray(np.square(errors).sum(axis=1))

    def noise(self, errors: Floats) -> Floats:
        """What errors of these squares [load, temperature] add on average to `left`, [2]."""
        return np.asarray((1 - self.leverage) @ errors[self.there] / self.freedom)

    def on_grid(self, values: Floats) -> Floats:
        """Numbers of its cells on the grid, 0 elsewhere."""
        out = np.zeros(self.there.shape)
        out[self.there] = values
        return out


def fits(values: Floats, phase: Labels, position: Position) -> Iterator[Fit]:
    """The fits of every fold in which the numbers differ and leave freedom.

    Args:
        values: [fold, load, temperature]; NaN: takes no part.
        phase: labels that each fold is judged by, of the same shape, 0 where there is none.
        position: what load and temperature may do by themselves.
    """
    for of_fold, labels in zip(values, phase, strict=True):
        there = np.isfinite(of_fold) & (labels > 0)
        if there.any() and np.var(of_fold[there]):
            fit = _fit(of_fold[there], labels[there], there, position)
            if fit.freedom[1] >= 1:
                yield fit


def _fit(y: Floats, labels: Labels, there: Mask, position: Position) -> Fit:
    base, groups = position_columns(there, position), effects(labels)
    of_base, of_phase, full = (hat(of) for of in (base, groups, np.hstack([base, groups])))
    rests = np.stack([y - of_base @ y, y - full @ y])
    leverage = np.stack([np.diag(of_base), np.diag(full)])
    return Fit(there, y, rests, leverage, y - of_phase @ y, groups.shape[1])


def beyond_position(told: Sequence[Fit]) -> float:
    """1 - mean variance left by both / mean variance left by position, over folds.

    Variances are averaged, not shares: each is unbiased for labels without meaning whatever the
    number of labels of its fold, so their ratio is then 1 on average but for its own curvature,
    and a fold that leaves little has little weight instead of a share that may be anything. Not a
    number where no fold has labels that load and temperature do not tell already.
    """
    if all(fit.freedom[0] == fit.freedom[1] for fit in told):
        return np.nan
    return without(sum_of(fit.left for fit in told))


def sum_of(arrays: Iterable[Floats]) -> Floats:
    """Over folds."""
    return np.asarray(np.sum(list(arrays), axis=0))


def without(left: Floats) -> float:
    """1 - second / first; not a number where the first is not above 0."""
    return float(1 - left[1] / left[0]) if left[0] > 0 else np.nan

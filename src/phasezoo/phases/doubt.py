"""What the chance of seeds does to the share of variance that phases explain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from phasezoo.phases.fits import Fit, sum_of, without
from phasezoo.phases.projections import Floats, Labels
from phasezoo.phases.relabelled import Relabelled

NORMAL = 1.959964  # 97.5 % point of the normal distribution
_LEFT = 0.5  # least share of what position leaves that must be more than chance of seeds
_RESIDUE = 1e-12  # of what labels explain whole


@dataclass(frozen=True)
class Doubt:
    """Chance of seeds in the numbers of cells, [load, temperature]; NaN where it is not known.

    Attributes:
        errors: squared standard errors of the means over folds.
        spread: variances between folds; nothing if there is one fold.
        labels: labels that leaving out one seed gives, [seed, load, temperature]; without them
            labels are taken as they are.
    """

    errors: Floats
    spread: Floats | None = None
    labels: Labels | None = None

    @property
    def of_a_fold(self) -> Floats:
        """Squared standard errors of the numbers of one fold."""
        return self.errors if self.spread is None else self.spread


def of_seeds(
    told: Sequence[Fit], doubt: Doubt, numbers: Relabelled, phase: Labels
) -> tuple[float, float, float]:
    """Ends of the 95 % interval of `beyond_position`, and what it is without the chance of seeds.

    The latter where that leaves both variances positive, and that of position at least half of
    what it was; else it is not a number.

    Args:
        told: fits of every fold.
        doubt: what seeds do to numbers and labels.
        numbers: those of the fits.
        phase: their labels, [fold, load, temperature].
    """
    if not np.nan_to_num(doubt.errors).any():
        return np.nan, np.nan, np.nan
    left = sum_of(fit.left for fit in told)
    variance = _of_numbers(told, left, doubt) + _of_labels(numbers, phase, doubt.labels)
    rest, spread = left[1] / left[0], NORMAL * np.sqrt(variance)
    true = left - sum_of(fit.noise(filled(doubt.of_a_fold)) for fit in told)
    known = true[1] > 0 and true[0] >= _LEFT * left[0]
    low, high = (float(1 - rest * np.exp(by)) for by in (spread, -spread))
    return low, high, without(true) if known else np.nan


def _of_numbers(told: Sequence[Fit], left: Floats, doubt: Doubt) -> float:
    """Of log(1 - beyond), to first order in the numbers of cells.

    Their gradient g [fold, load, temperature] meets what folds share, the mean of the cell, in its
    sum over folds, and what they do not in its deviations from their mean: sum_cells of
    (sum g)^2 error + sum (g - mean g)^2 spread, which is sum g^2 spread where folds are
    independent.
    """
    slopes = [2 * fit.rests / fit.freedom[:, None] / left[:, None] for fit in told]
    apart = [fit.on_grid(of[1] - of[0]) for fit, of in zip(told, slopes, strict=True)]
    gradient = np.array(apart)
    found = np.square(gradient.sum(axis=0)) * filled(doubt.errors)
    if doubt.spread is not None:
        found += np.square(gradient - gradient.mean(axis=0)).sum(axis=0) * filled(doubt.spread)
    return float(found.sum())


def _of_labels(numbers: Relabelled, phase: Labels, left_out: Labels | None) -> float:
    """Of log(1 - beyond): the jackknife over seeds in every cell, (n - 1) times the variance.

    Each label that leaving out a seed gives the cell is put into all folds; cells are independent.
    """
    if left_out is None:
        return 0.0
    found = 0.0
    for row, column in np.argwhere((left_out != left_out[0]).any(axis=0)):
        labels, which = np.unique(left_out[:, row, column], return_inverse=True)
        logs = np.empty(len(labels))
        for place, label in enumerate(labels):
            moved = phase.copy()
            moved[:, row, column] = label
            logs[place] = np.log(max(1 - numbers.beyond(moved), _RESIDUE))
        of_each = logs[which]
        found += float(np.var(of_each[np.isfinite(of_each)])) if np.isfinite(logs).any() else 0.0
    return float(found * (len(left_out) - 1))


def filled(errors: Floats) -> Floats:
    """Squared errors, those that are not known as large as the known ones are on average."""
    known = np.isfinite(errors)
    return np.where(known, errors, errors[known].mean() if known.any() else 0.0)

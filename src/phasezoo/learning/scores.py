"""How good predictions are, with intervals over what is drawn together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasezoo.learning.sides import Names
from phasezoo.rng import seed_of

Floats = NDArray[np.float64]
INTERVAL = (0.025, 0.975)


@dataclass(frozen=True, slots=True)
class Score:
    """A score and its 95 % interval; not a number where it cannot be told."""

    value: float
    low: float
    high: float


def r2(true: Floats, predicted: Floats, units: Names, resamples: int) -> Score:
    """Coefficient of determination: 1 - sum (y - f)^2 / sum (y - mean y)^2.

    1 for predictions without error, 0 for the mean of what is predicted, negative for worse.
    """
    y = true - true.mean() if true.size else true
    parts = np.stack([np.ones_like(y), y, np.square(y), np.square(true - predicted)], axis=1)

    def of(sums: Floats) -> Floats:
        n, first, second, residual = np.moveaxis(sums, -1, 0)
        total = second - np.square(first) / n
        return np.asarray(
            1 - residual / np.where(total > 1e-12 * second.max(initial=0), total, np.nan)
        )

    return _resampled(parts, units, resamples, of)


def accuracy(true: Floats, predicted: Floats, units: Names, resamples: int) -> Score:
    """Share of predictions that are right."""
    parts = np.stack([np.ones_like(true), (true == predicted).astype(float)], axis=1)
    return _resampled(parts, units, resamples, lambda sums: sums[..., 1] / sums[..., 0])


def balanced_accuracy(true: Floats, predicted: Floats, units: Names, resamples: int) -> Score:
    """Mean over the classes that occur of the share of their members that are told right.

    A class that a resample does not hold plays no part in it.
    """
    of_class = (true[:, None] == np.unique(true)).astype(float)  # [n, classes]
    right = of_class * (true == predicted)[:, None]

    def of(sums: Floats) -> Floats:
        members, hits = np.split(sums, 2, axis=-1)
        shares = hits / np.where(members > 0, members, np.nan)
        return np.asarray(np.nanmean(shares, axis=-1))

    return _resampled(np.concatenate([of_class, right], axis=1), units, resamples, of)


def _resampled(
    parts: Floats, units: Names, resamples: int, of: Callable[[Floats], Floats]
) -> Score:
    """A function of sums over predictions, and its percentile bootstrap over units.

    Args:
        parts: what is summed, [predictions, sums].
        units: of each prediction; drawn with replacement, each with all its predictions.
        resamples: how many.
        of: from sums [..., sums] to scores [...].
    """
    if not len(parts):
        return Score(np.nan, np.nan, np.nan)
    position = np.unique(units, return_inverse=True)[1]
    count = int(position.max()) + 1
    sums = np.zeros((count, parts.shape[1]))
    np.add.at(sums, position, parts)
    value = float(of(sums.sum(axis=0)))
    if count < 2:
        return Score(value, np.nan, np.nan)
    chance = np.random.default_rng(seed_of("learning", "bootstrap"))
    drawn = chance.multinomial(count, np.full(count, 1 / count), size=resamples)
    found = of(drawn @ sums)
    found = found[np.isfinite(found)]
    low, high = np.quantile(found, INTERVAL) if found.size else (np.nan, np.nan)
    return Score(value, float(low), float(high))

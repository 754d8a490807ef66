"""Paired comparisons of two ways of tuning: on one data set over seeds, and over data sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from phasezoo.transfer.regions.estimates import Estimate, Floats, generator, interval, mean_of

_RESOLUTION = 1e-12  # shares of samples that differ by less are the same


@dataclass(frozen=True)
class Paired:
    """What the second way saves, seed by seed: errors of the first minus errors of the second.

    Attributes:
        gain: the mean, with its bootstrap over pairs.
        p: of the exact test that flips the signs of pairs, two-sided; it cannot be less than
            2^(1 - n) of n pairs.
    """

    gain: Estimate
    p: float


@dataclass(frozen=True)
class Overall:
    """The same over data sets.

    Attributes:
        gain: the mean over data sets of their mean gains; its bootstrap draws data sets, and pairs
            within each.
        signed_rank_p: of Wilcoxon's signed rank test of the mean gains, two-sided.
        sign_p: of the sign test, two-sided; ties take no part.
        won: data sets on which the second way is better.
        tied: on which both are alike.
        lost: on which it is worse.
    """

    gain: Estimate
    signed_rank_p: float
    sign_p: float
    won: int
    tied: int
    lost: int


def paired(first: Floats, second: Floats, resamples: int, *names: object) -> Paired:
    """Compare errors of the same seeds, [n] each.

    A pair of which one is not a number, because a training diverged, is left out.

    Args:
        first: errors of the one way, the baseline.
        second: of the other.
        resamples: of the pairs.
        names: seed what is drawn.
    """
    gains = _gains(first, second)
    p = np.nan if len(gains) < 2 else _flipped(gains, *names)
    return Paired(mean_of(gains, resamples, *names), p)


def over_datasets(
    pairs: Sequence[tuple[Floats, Floats]], resamples: int, *names: object
) -> Overall:
    """Compare the mean errors of data sets, each a unit.

    Args:
        pairs: errors of the first and of the second way on each data set, [n] each.
        resamples: of data sets and pairs.
        names: seed what is drawn.
    """
    gains = [found for found in (_gains(*pair) for pair in pairs) if found.size]
    means = np.array([found.mean() for found in gains])
    means[np.abs(means) < _RESOLUTION] = 0
    won, lost = int((means > 0).sum()), int((means < 0).sum())
    return Overall(
        gain=_overall(gains, means, resamples, *names),
        signed_rank_p=_signed_rank(means),
        sign_p=float(stats.binomtest(won, won + lost).pvalue) if won + lost else np.nan,
        won=won,
        tied=len(means) - won - lost,
        lost=lost,
    )


def holm(p: Floats) -> Floats:
    """P values adjusted for their number by Holm's procedure (1979): the family keeps its level.

    In ascending order, max over i <= j of min(1, (m - i + 1) p_i); those that are not numbers are
    no part of the family.
    """
    out = np.full(p.shape, np.nan)
    known = np.isfinite(p)
    order = np.argsort(p[known], kind="stable")
    steps = np.arange(len(order), 0, -1) * p[known][order]
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(steps))
    out[known] = adjusted
    return out


def _gains(first: Floats, second: Floats) -> Floats:
    gains = np.asarray(first - second, dtype=np.float64)
    return gains[np.isfinite(gains)]


def _flipped(gains: Floats, *names: object) -> float:
    """P of the mean under flipped signs: all 2^n of up to 13 pairs, else 9,999 draws."""
    gains = np.where(np.abs(gains) < _RESOLUTION, 0, gains)
    found = stats.permutation_test(
        (gains,),
        lambda x, axis: np.abs(x.mean(axis=axis)),  # two-sided in itself
        permutation_type="samples",
        n_resamples=9999,
        alternative="greater",
        vectorized=True,
        rng=generator(*names, "signs"),
    )
    return float(found.pvalue)


def _signed_rank(means: Floats) -> float:
    """Exact where there are neither ties nor zeros, which take no part; else by the normal law."""
    moved = means[means != 0]
    if not moved.size:
        return float("nan")
    exact = len(np.unique(np.abs(moved).round(12))) == len(moved) <= 50
    method = "exact" if exact else "asymptotic"
    return float(stats.wilcoxon(moved, method=method).pvalue)


def _overall(gains: list[Floats], means: Floats, resamples: int, *names: object) -> Estimate:
    if not len(means):
        return Estimate(np.nan, np.nan, np.nan)
    value = float(means.mean())
    if len(means) < 2:
        return Estimate(value, np.nan, np.nan)
    chance = generator(*names, "data sets")
    inner = np.stack(
        [chance.choice(found, size=(resamples, found.size)).mean(axis=1) for found in gains], axis=1
    )
    drawn = chance.integers(len(means), size=inner.shape)
    return interval(value, np.take_along_axis(inner, drawn, axis=1).mean(axis=1))

"""Paired comparisons of two ways of tuning: on one data set over seeds, and over data sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from phasezoo.transfer.regions import nested
from phasezoo.transfer.regions.estimates import Estimate, Floats, generator, student

_RESOLUTION = 1e-12  # shares of samples that differ by less are the same


@dataclass(frozen=True)
class Paired:
    """What the second way saves, seed by seed: errors of the first minus errors of the second.

    Attributes:
        gain: the mean, with Student's interval over pairs.
        p: of the exact test that flips the signs of pairs, two-sided; it cannot be less than
            2^(1 - n) of n pairs.
    """

    gain: Estimate
    p: float


@dataclass(frozen=True)
class Overall:
    """The same over data sets.

    Attributes:
        gain: the mean over data sets of their mean gains, with the interval of `nested.mean`.
        of_family: the mean over the data sets of each family.
        signed_rank_p: of Wilcoxon's signed rank test of the mean gains, two-sided; it takes data
            sets as independent, which those of one family are not.
        sign_p: of the sign test, two-sided; so does it, and ties take no part.
        won: data sets on which the second way is better.
        tied: on which both are alike.
        lost: on which it is worse.
    """

    gain: Estimate
    of_family: dict[str, float]
    signed_rank_p: float
    sign_p: float
    won: int
    tied: int
    lost: int


def paired(first: Floats, second: Floats, *names: object) -> Paired:
    """Compare errors of the same seeds, [n] each.

    A pair of which one is not a number, because a training diverged, is left out. The interval is
    not a bootstrap, which of nine pairs covers 90 %, not 95 %.

    Args:
        first: errors of the one way, the baseline.
        second: of the other.
        names: seed what is drawn, where there are too many flips of signs to try them all.
    """
    gains = _gains(first, second)
    p = np.nan if len(gains) < 2 else _flipped(gains, *names)
    return Paired(student(gains), p)


def over_datasets(
    pairs: Sequence[tuple[Floats, Floats]],
    families: Sequence[str],
    resamples: int,
    *names: object,
) -> Overall:
    """Compare the mean errors of data sets, each a unit.

    Args:
        pairs: errors of the first and of the second way on each data set, [n] each.
        families: of each data set.
        resamples: of families, data sets and pairs.
        names: seed what is drawn.
    """
    every = [(_gains(*pair), family) for pair, family in zip(pairs, families, strict=True)]
    found = [_unit(gains, family) for gains, family in every if gains.size]
    means = np.array([unit.value for unit in found])
    won, lost = int((means > 0).sum()), int((means < 0).sum())
    return Overall(
        gain=nested.mean(found, resamples, *names),
        of_family={
            family: float(np.mean([unit.value for unit in found if unit.family == family]))
            for family in dict.fromkeys(unit.family for unit in found)
        },
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


def _unit(gains: Floats, family: str) -> nested.Unit:
    def draws(times: int, chance: np.random.Generator) -> Floats:
        found: Floats = chance.choice(gains, size=(times, gains.size)).mean(axis=1)
        return found

    value = float(gains.mean())
    return nested.Unit(family, value if abs(value) >= _RESOLUTION else 0.0, draws)


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

"""The probability that a random member of one group is better than one of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from phasezoo.transfer.regions import nested
from phasezoo.transfer.regions.estimates import UNTOLD, Estimate, Floats, generator, interval


@dataclass(frozen=True)
class Side:
    """The members of one group.

    Attributes:
        scores: their losses or errors, [n]; one that is not a number is worse than every other.
        strata: of each member, where it is fixed how many there are of each stratum: they are
            resampled within it. None: all are of one.
    """

    scores: Floats
    strata: Sequence[str] | None = None


def better(first: Side, second: Side, resamples: int, *names: object) -> Estimate:
    """Probability that a random member of the first has the lower score, ties counted half.

    PB(X, Y) = P(x < y) + P(x = y) / 2, the statistic of Mann and Whitney over both sizes. Its
    interval is the percentile bootstrap over members of both sides, within strata; that members
    share vertices is not in it.

    Args:
        first: whose members may be better.
        second: than whose.
        resamples: of the members.
        names: seed what is drawn.
    """
    if not _told(first, second):
        return UNTOLD
    drawn = _resampled(first, second, resamples, generator(*names))
    return interval(float(_wins(first, second).mean()), drawn)


def mean_better(
    pairs: Sequence[tuple[Side, Side]], families: Sequence[str], resamples: int, *names: object
) -> Estimate:
    """The mean of `better` over targets, with the interval of `nested.mean`.

    Args:
        pairs: both sides on each target; a target without one side is left out.
        families: of the targets.
        resamples: of families, targets and members.
        names: seed what is drawn.
    """
    told = [
        nested.Unit(family, float(_wins(*pair).mean()), partial(_resampled, *pair))
        for pair, family in zip(pairs, families, strict=True)
        if _told(*pair)
    ]
    return nested.mean(told, resamples, *names)


def _told(first: Side, second: Side) -> bool:
    return bool(len(first.scores) and len(second.scores))


def _wins(first: Side, second: Side) -> Floats:
    """1 where a member of the first is better, 1/2 where they are alike, [a, b]."""
    x, y = (np.where(np.isnan(side.scores), np.inf, side.scores) for side in (first, second))
    won: Floats = (x[:, None] < y) + 0.5 * (x[:, None] == y)
    return won


def _resampled(first: Side, second: Side, resamples: int, chance: np.random.Generator) -> Floats:
    """`better` of members that are drawn with replacement, [resamples]."""
    rows, columns = (_shares(side, resamples, chance) for side in (first, second))
    wins = _wins(first, second)
    means: Floats = np.einsum("ra,ab,rb->r", rows, wins, columns, optimize=True)
    return means


def _shares(side: Side, resamples: int, chance: np.random.Generator) -> Floats:
    """The share of each member in a resample, [resamples, n]."""
    strata = np.asarray(side.strata or [""] * len(side.scores))
    out = np.empty((resamples, len(strata)))
    for stratum in np.unique(strata):
        places = np.flatnonzero(strata == stratum)
        n = len(places)
        out[:, places] = chance.multinomial(n, np.full(n, 1 / n), size=resamples)
    return out / len(strata)

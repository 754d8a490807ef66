"""Means over data sets that come in families, with intervals that know of the families."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from phasezoo.transfer.regions.estimates import (
    UNTOLD,
    Estimate,
    Floats,
    Ints,
    generator,
    interval,
)


@dataclass(frozen=True)
class Unit:
    """What one data set says.

    Attributes:
        family: of the data set.
        value: a mean.
        draws: so many resamples of it, from a generator.
    """

    family: str
    value: float
    draws: Callable[[int, np.random.Generator], Floats]


def mean(datasets: Sequence[Unit], resamples: int, *names: object) -> Estimate:
    """The mean over data sets, with an interval in which those of a family are no independent ones.

    As many families are drawn as there are, with replacement; as many data sets within each as it
    has; and what a data set holds, anew each time that it is drawn. All data sets count alike. With
    one data set in each family it is the bootstrap over data sets. Below two families there is no
    interval. Few of them make it too narrow: of three, nearly alike within, it covers some 75 %.

    Args:
        datasets: what each says.
        resamples: of everything.
        names: seed what is drawn.
    """
    if not datasets:
        return UNTOLD
    value = float(np.mean([unit.value for unit in datasets]))
    families = [unit.family for unit in datasets]
    if len(set(families)) < 2:
        return Estimate(value, np.nan, np.nan)
    chance = generator(*names, "data sets")
    times = _times(families, resamples, chance)
    total = np.zeros(resamples)
    for unit, of in zip(datasets, times.T, strict=True):
        whose = np.repeat(np.arange(resamples), of)
        drawn = unit.draws(len(whose), chance)
        total += np.bincount(whose, weights=drawn, minlength=resamples)
    return interval(value, total / times.sum(axis=1))


def _times(families: Sequence[str], resamples: int, chance: np.random.Generator) -> Ints:
    """How often each data set is drawn, [resamples, data sets]."""
    whose = np.unique(np.asarray(families), return_inverse=True)[1]
    sizes = np.bincount(whose)
    drawn = chance.multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), size=resamples)
    out = np.zeros((resamples, len(whose)), dtype=np.int64)
    for family, n in enumerate(sizes.tolist()):
        # drawing n of n again and again is drawing so many times n of n
        out[:, whose == family] = chance.multinomial(drawn[:, family] * n, np.full(n, 1 / n))
    return out

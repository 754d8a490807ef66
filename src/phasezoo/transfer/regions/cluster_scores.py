"""How well clusters tell labels: with intervals over seeds, and the level of chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasezoo.transfer.regions.clusters import NONE
from phasezoo.transfer.regions.contingency import SCORES, tables
from phasezoo.transfer.regions.dealt import Dealt, dealt
from phasezoo.transfer.regions.estimates import Estimate, Floats, Ints, generator, interval

CHANCE = 0.95  # quantile of a score under permuted labels that is called the level of chance
_SAME = 1e-12  # scores that differ by less are equal


@dataclass(frozen=True)
class ClusterScore:
    """A score of clusters against labels.

    Attributes:
        found: the score, with its interval over seeds.
        chance: the mean under permuted labels.
        chance_high: the 95 % quantile under permuted labels.
        p: share of permutations, the labels as they are among them, that score as well or better;
            of n that are all there are, it cannot be less than 1 / n.
    """

    found: Estimate
    chance: float
    chance_high: float
    p: float


def judged(
    clusters: Ints,
    labels: Sequence[str],
    strata: Sequence[str],
    resamples: int,
    permutations: int,
) -> dict[str, ClusterScore]:
    """Every score of `contingency.SCORES`; models that diverged are in no cluster, which is wrong.

    Intervals come from random halves of the seeds of each data set (McCarthy 1969): what a score
    of halves deviates from its mean over halves is what the score of all deviates from the truth.
    Drawing with replacement would not do, because a model that is drawn twice agrees with itself.
    They hold the chance of which models were tuned, not that of which clusters other models would
    have been put into. The same clusters are scored under permuted labels (`dealt.dealt`): labels
    of whole data sets where several data sets share one, else of single models.

    Args:
        clusters: of each model, [M].
        labels: of each model.
        strata: of each model: its data set and start, of which halves are drawn.
        resamples: halves.
        permutations: of labels.
    """
    whose = np.unique(np.asarray(labels), return_inverse=True)[1].astype(np.int64)
    half = halves(strata, resamples, generator("clusters", "seeds"))
    others = dealt(whose, strata, permutations, generator("clusters", "labels"))
    true, guessed = tables(clusters, whose[None]), tables(clusters, others.labels)
    halved = tables(clusters, np.broadcast_to(whose, half.shape), half)
    sizes = half.sum(axis=1)
    found = {}
    for name, score in SCORES.items():
        value, of_halves = float(score(true)[0]), score(halved)
        around = interval(value, np.minimum(1, value + _centred(of_halves, sizes)))
        found[name] = _with_chance(around, score(guessed), others)
    return found


def f1(clusters: Ints, labels: Sequence[str]) -> Mapping[str, float]:
    """F1 score of each label, where every model is told the label of the majority of its cluster.

    2 right / (told + true); 0 for a label that no cluster has as its majority. The first label in
    alphabetical order wins a draw; models in no cluster are told nothing.
    """
    names, whose = np.unique(np.asarray(labels), return_inverse=True)
    majority = tables(clusters, whose[None].astype(np.int64)).inside[0].argmax(axis=1)
    told = np.full(len(whose), NONE, dtype=np.int64)
    inside = clusters != NONE
    told[inside] = majority[np.unique(clusters[inside], return_inverse=True)[1]]
    right = [int(((told == k) & (whose == k)).sum()) for k in range(len(names))]
    either = [int((told == k).sum() + (whose == k).sum()) for k in range(len(names))]
    return {str(n): 2 * r / e for n, r, e in zip(names, right, either, strict=True)}


def halves(strata: Sequence[str], resamples: int, chance: np.random.Generator) -> NDArray[np.bool_]:
    """Half of the members of each stratum, [resamples, M]; everyone of a stratum of one.

    Of an odd number n one more or one less, in all strata alike, so that those of one size weigh
    the same. One more comes with the probability (n + 1) / 2n: then the mean of a half varies
    around that of all by s^2 / n, as it does of an even number.

    Args:
        strata: of each member.
        resamples: halves.
        chance: draws them.
    """
    named = np.asarray(strata)
    out = np.zeros((resamples, len(named)), dtype=bool)
    dice = chance.random((resamples, 1))
    for stratum in np.unique(named):
        places = np.flatnonzero(named == stratum)
        n = len(places)
        rank = chance.random((resamples, n)).argsort(axis=1).argsort(axis=1)
        odd = (n % 2) * (dice < (n + 1) / (2 * n))
        out[:, places] = rank < np.maximum(1, n // 2 + odd)
    return out


def _centred(scores: Floats, sizes: NDArray[np.int64]) -> Floats:
    """What scores of halves [R] deviate from the mean of the halves of their size.

    A score may depend on how many there are, whoever they are.
    """
    out = scores.copy()
    for size in np.unique(sizes):
        out[sizes == size] -= scores[sizes == size].mean()
    return out


def _with_chance(found: Estimate, guessed: Floats, others: Dealt) -> ClusterScore:
    reach = int((guessed >= found.value - _SAME).sum())
    drawn = not others.every  # the true labels are one more
    return ClusterScore(
        found,
        float(guessed.mean()),
        float(np.quantile(guessed, CHANCE)),
        (reach + drawn) / (len(guessed) + drawn),
    )

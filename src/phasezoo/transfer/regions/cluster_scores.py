"""How well clusters tell labels: with intervals over seeds, and the level of chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasezoo.transfer.regions.clusters import NONE
from phasezoo.transfer.regions.contingency import SCORES, tables
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
        p: share of permutations, the labels as they are among them, that score as well or better.
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
    have been put into. Permuted labels are dealt to the same clusters anew, over all models.

    Args:
        clusters: of each model, [M].
        labels: of each model.
        strata: of each model: its data set and start, of which halves are drawn.
        resamples: halves.
        permutations: of labels.
    """
    whose = np.unique(np.asarray(labels), return_inverse=True)[1].astype(np.int64)
    half = _halves(np.asarray(strata), resamples, generator("clusters", "seeds"))
    chance = generator("clusters", "labels")
    dealt = np.array([chance.permutation(whose) for _ in range(permutations)])
    true, guessed = tables(clusters, whose[None]), tables(clusters, dealt)
    halved = tables(clusters, np.broadcast_to(whose, half.shape), half)
    return {
        name: _score(float(score(true)[0]), score(halved), score(guessed))
        for name, score in SCORES.items()
    }


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


def _score(value: float, halved: Floats, guessed: Floats) -> ClusterScore:
    around = np.minimum(1, value + halved - halved.mean())
    return ClusterScore(
        interval(value, around),
        float(guessed.mean()),
        float(np.quantile(guessed, CHANCE)),
        float((1 + (guessed >= value - _SAME).sum()) / (1 + len(guessed))),
    )


def _halves(
    strata: NDArray[np.generic], resamples: int, chance: np.random.Generator
) -> NDArray[np.bool_]:
    """Half of each stratum, [resamples, n]; of an odd number one more or one less, by chance.

    Everyone of a stratum of one.
    """
    out = np.zeros((resamples, len(strata)), dtype=bool)
    for stratum in np.unique(strata):
        places = np.flatnonzero(strata == stratum)
        rank = chance.random((resamples, len(places))).argsort(axis=1).argsort(axis=1)
        odd = chance.integers(2, size=(resamples, 1)) * (len(places) % 2)
        out[:, places] = rank < np.maximum(1, len(places) // 2 + odd)
    return out

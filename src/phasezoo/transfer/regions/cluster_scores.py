"""How well clusters tell labels: with intervals over seeds, and the level of chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from phasezoo.transfer.regions.clusters import NONE
from phasezoo.transfer.regions.estimates import Estimate, Ints, generator, interval, within

CHANCE = 0.95  # quantile of a score under permuted labels that is called the level of chance


@dataclass(frozen=True)
class ClusterScore:
    """A score of clusters against labels.

    Attributes:
        found: the score, with its interval over resampled seeds; the clusters stay as they are.
        chance: the mean under permuted labels, and the 95 % quantile of that.
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
    """Every score of `SCORES`; models that diverged are in no cluster, which is wrong.

    Intervals are percentile bootstraps over the seeds of each data set. They hold the chance of
    which models were tuned, not that of which clusters other models would have been put into.
    Permuted labels are dealt to the same clusters anew, all models alike.

    Args:
        clusters: of each model, [M].
        labels: of each model.
        strata: of each model: its data set and start, within which seeds are drawn.
        resamples: of seeds.
        permutations: of labels.
    """
    whose = np.unique(np.asarray(labels), return_inverse=True)[1].astype(np.int64)
    drawn = within(np.asarray(strata), resamples, generator("clusters", "seeds"))
    chance = generator("clusters", "labels")
    dealt = np.array([chance.permutation(whose) for _ in range(permutations)])
    found = {}
    for name, score in SCORES.items():
        value = score(clusters, whose)
        resampled = np.array([score(clusters[rows], whose[rows]) for rows in drawn])
        guessed = np.array([score(clusters, one) for one in dealt])
        found[name] = ClusterScore(
            interval(value, resampled),
            float(guessed.mean()),
            float(np.quantile(guessed, CHANCE)),
            float((1 + (guessed >= value - 1e-12).sum()) / (1 + permutations)),
        )
    return found


def accuracy(clusters: Ints, labels: Ints) -> float:
    """Share of models whose label is that of the majority of their cluster.

    Those in no cluster are wrong. It is 1 where every model is a cluster of its own.
    """
    table = _table(clusters, labels)
    return float(table.max(axis=1, initial=0).sum() / len(labels))


def one_to_one(clusters: Ints, labels: Ints) -> float:
    """The same where each label is given to one cluster at most, so that most are right.

    By a linear assignment. Those in a cluster without a label, or in none, are wrong.
    """
    table = _table(clusters, labels)
    rows, columns = linear_sum_assignment(table, maximize=True)
    return float(table[rows, columns].sum() / len(labels))


def adjusted_rand(clusters: Ints, labels: Ints) -> float:
    """Adjusted Rand index (Hubert and Arabie 1985): 1 for the same division, 0 by chance."""
    return float(adjusted_rand_score(labels, _alone(clusters)))


def mutual_information(clusters: Ints, labels: Ints) -> float:
    """Mutual information over the mean of both entropies: 1 for the same division, 0 for none.

    It is not adjusted for chance, and grows with the number of clusters: see its level of chance.
    """
    return float(normalized_mutual_info_score(labels, _alone(clusters)))


def f1(clusters: Ints, labels: Sequence[str]) -> Mapping[str, float]:
    """F1 score of each label, where every model is told the label of the majority of its cluster.

    2 right / (told + true); 0 for a label that no cluster has as its majority. The first label in
    alphabetical order wins a draw; models in no cluster are told nothing.
    """
    names, whose = np.unique(np.asarray(labels), return_inverse=True)
    majority = _table(clusters, whose.astype(np.int64)).argmax(axis=1)
    told = np.full(len(whose), NONE, dtype=np.int64)
    inside = clusters != NONE
    told[inside] = majority[np.unique(clusters[inside], return_inverse=True)[1]]
    right = [int(((told == k) & (whose == k)).sum()) for k in range(len(names))]
    either = [int((told == k).sum() + (whose == k).sum()) for k in range(len(names))]
    return {str(n): 2 * r / e for n, r, e in zip(names, right, either, strict=True)}


def _table(clusters: Ints, labels: Ints) -> NDArray[np.int64]:
    """How many models each cluster has of each label, [clusters, labels]."""
    inside = clusters != NONE
    places = np.unique(clusters[inside], return_inverse=True)[1]
    table = np.zeros((places.max(initial=-1) + 1, labels.max(initial=-1) + 1), dtype=np.int64)
    np.add.at(table, (places, labels[inside]), 1)
    return table


def _alone(clusters: Ints) -> Ints:
    """Every model that is in no cluster gets one of its own."""
    alone = clusters == NONE
    return np.where(alone, clusters.max(initial=0) + 1 + np.arange(len(clusters)), clusters)


SCORES: Mapping[str, Callable[[Ints, Ints], float]] = {
    "clustering_accuracy": accuracy,
    "one_to_one_accuracy": one_to_one,
    "adjusted_rand": adjusted_rand,
    "mutual_information": mutual_information,
}

"""Scores of divisions against labels, from tables of how many members each cluster has of each.

Tables come in stacks, so that thousands of resamples are a few operations. Members of no cluster
count as clusters of one, which are right about nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.special import xlogy

from phasezoo.transfer.regions.clusters import NONE
from phasezoo.transfer.regions.estimates import Floats, Ints


@dataclass(frozen=True)
class Tables:
    """Members by cluster and label, [R, C, L], and those in no cluster by label, [R, L]."""

    inside: Floats
    alone: Floats

    @property
    def total(self) -> Floats:
        """Members of each table, [R]."""
        found: Floats = self.inside.sum(axis=(1, 2)) + self.alone.sum(axis=1)
        return found

    @property
    def labels(self) -> Floats:
        """Members of each label, [R, L]."""
        found: Floats = self.inside.sum(axis=1) + self.alone
        return found


def tables(clusters: Ints, labels: Ints, counted: NDArray[np.bool_] | None = None) -> Tables:
    """Tables of clusters [M] against labels [R, M], each of which may count some members only.

    Args:
        clusters: from 0 on, or `NONE`.
        labels: from 0 on.
        counted: [R, M], who counts; None: everyone.
    """
    member = _indicators(clusters, np.unique(clusters[clusters != NONE]))  # [M, C]
    alone = (clusters == NONE).astype(np.float64)[:, None]
    known = np.arange(labels.max(initial=0) + 1)
    stacks = []
    for columns in (member, alone):
        parts = [_counts(columns, labels == label, counted) for label in known]  # [R, C] each
        stacks.append(np.stack(parts, axis=2))
    return Tables(stacks[0], stacks[1][:, 0])


def accuracy(of: Tables) -> Floats:
    """Share of members whose label is that of the majority of their cluster, [R].

    It is 1 where every member is a cluster of its own, but for those in none, which are wrong.
    """
    found: Floats = of.inside.max(axis=2, initial=0).sum(axis=1) / of.total
    return found


def one_to_one(of: Tables) -> Floats:
    """The same where each label is given to one cluster at most, so that most are right, [R].

    By a linear assignment. Those in a cluster without a label are wrong.
    """
    places = [linear_sum_assignment(table, maximize=True) for table in of.inside]
    right = [table[place].sum() for table, place in zip(of.inside, places, strict=True)]
    return np.array(right) / of.total


def adjusted_rand(of: Tables) -> Floats:
    """Adjusted Rand index (Hubert and Arabie 1985), [R]: 1 for the same division, 0 by chance."""
    both = _pairs(of.inside).sum(axis=(1, 2))
    one, other = _pairs(of.inside.sum(axis=2)).sum(axis=1), _pairs(of.labels).sum(axis=1)
    expected = one * other / np.maximum(_pairs(of.total), 1)
    most = (one + other) / 2
    return np.where(most > expected, (both - expected) / np.maximum(most - expected, 1e-300), 1.0)


def mutual_information(of: Tables) -> Floats:
    """Mutual information over the mean of both entropies, [R]: 1 for the same division, 0 for none.

    It is not adjusted for chance, and grows with the number of clusters: see its level of chance.
    """
    total = of.total[:, None]
    of_label, of_cluster = of.labels / total, of.inside.sum(axis=2) / total
    cells = of.inside.reshape(len(of.inside), -1) / total
    single, lonely = 1 / of.total, of.alone.sum(axis=1)
    labels = -xlogy(of_label, of_label).sum(axis=1)
    ones = -lonely * xlogy(single, single)  # the entropy of clusters of one, and of their cells
    clusters = ones - xlogy(of_cluster, of_cluster).sum(axis=1)
    joint = ones - xlogy(cells, cells).sum(axis=1)
    mean = (labels + clusters) / 2
    told = np.clip(labels + clusters - joint, 0, None) / np.maximum(mean, 1e-300)
    return np.where(mean > 1e-12, told, 1.0)


SCORES: Mapping[str, Callable[[Tables], Floats]] = {
    "clustering_accuracy": accuracy,
    "one_to_one_accuracy": one_to_one,
    "adjusted_rand": adjusted_rand,
    "mutual_information": mutual_information,
}


def _indicators(values: Ints, of: Ints) -> Floats:
    """Whether each value is each of some, [values, some]."""
    found: Floats = (values[:, None] == of).astype(np.float64)
    return found


def _counts(
    columns: Floats, chosen: NDArray[np.bool_], counted: NDArray[np.bool_] | None
) -> Floats:
    """Members of each column among those chosen, [R, C]."""
    rows = chosen if counted is None else chosen & counted
    found: Floats = rows.astype(np.float64) @ columns
    return found


def _pairs(counts: Floats) -> Floats:
    return counts * (counts - 1) / 2

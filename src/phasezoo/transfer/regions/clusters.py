"""Clusters of task vectors: with their number known, and with it to be found."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Literal, get_args

import numpy as np
from scipy.linalg import eigvalsh
from scipy.sparse.csgraph import laplacian
from sklearn.cluster import HDBSCAN, KMeans, SpectralClustering
from sklearn.metrics import silhouette_score

from phasezoo.rng import small_seed_of
from phasezoo.transfer.regions.estimates import Floats, Ints

Way = Literal["spectral", "eigengap", "silhouette", "density", "norm"]
WAYS: tuple[Way, ...] = get_args(Way)
KNOWN: frozenset[Way] = frozenset({"spectral", "norm"})  # ways that are told the number of clusters
NONE = -1  # the cluster of a model that is in none
MOST = 30  # clusters that are looked for where their number is not known


def clusters(way: Way, cosines: Floats, lengths: Floats, count: int) -> Ints:
    """The cluster of each model, [M] from 0 on; `NONE` where it is in none, or not finite.

    - ``spectral``: spectral clustering of `affinity` into `count` clusters, as published.
    - ``eigengap``: the same into as many as `eigengap` tells.
    - ``silhouette``: the same into as many as `best_silhouette` tells.
    - ``density``: HDBSCAN on the distances sqrt(2 - 2 cos) of the directions, clusters of at least
      two; it is told nothing, and leaves models out.
    - ``norm``: k-means of the logarithms of the lengths into `count` clusters, blind to directions:
      what the others tell beyond it, directions tell.

    Args:
        way: how.
        cosines: of the angles between task vectors, [M, M].
        lengths: of the task vectors, [M].
        count: of clusters, where the way is told (`KNOWN`).
    """
    known = np.isfinite(np.diag(cosines))
    found = np.full(len(cosines), NONE, dtype=np.int64)
    if known.sum() < 3:  # one or two models make no clusters that could be right or wrong
        return found
    found[known] = _FOUND[way](cosines[np.ix_(known, known)], lengths[known], count)
    return found


def affinity(cosines: Floats) -> Floats:
    """max(cos, 0): 0 for task vectors with nothing in common, 1 for the same direction.

    The published mapping is not stated. (1 + cos) / 2, the other usual one, gives vectors at right
    angles an affinity of a half, which leaves hardly any gap between eigenvalues.
    """
    return np.clip(cosines, 0, 1)


def eigengap(cosines: Floats, most: int = MOST) -> int:
    """The number k >= 2 after which the eigenvalues of the normalised Laplacian rise most.

    k = argmax l_(k+1) - l_k over the ascending eigenvalues of 1 - D^-1/2 A D^-1/2 (von Luxburg
    2007, section 8.3); k = 1 is left out, which asks whether there are clusters at all.

    Args:
        cosines: [M, M].
        most: the largest k.
    """
    values = eigvalsh(laplacian(affinity(cosines), normed=True))
    rises = np.diff(values)[1 : max(2, min(most, len(values) - 1))]
    return 2 + int(rises.argmax())


def best_silhouette(cosines: Floats, most: int = MOST) -> int:
    """The number k >= 2 of spectral clusters whose mean silhouette, by 1 - cos, is the largest.

    Rousseeuw 1987. The smallest of equals.

    Args:
        cosines: [M, M].
        most: the largest k.
    """
    apart = np.clip(1 - cosines, 0, 2)
    np.fill_diagonal(apart, 0)
    scores = {}
    for k in range(2, min(most, len(cosines) - 1) + 1):
        found = _spectral(cosines, k)
        if 1 < len(np.unique(found)) < len(cosines):
            scores[k] = silhouette_score(apart, found, metric="precomputed")
    return max(scores, key=lambda k: scores[k], default=2)


def _spectral(cosines: Floats, count: int) -> Ints:
    if count >= len(cosines):
        return np.arange(len(cosines))
    seed = small_seed_of("regions", "clusters", count)
    how = SpectralClustering(count, affinity="precomputed", n_init=20, random_state=seed)
    with warnings.catch_warnings():
        # groups with nothing in common are what is looked for: the first eigenvectors tell them
        warnings.filterwarnings("ignore", "Graph is not fully connected")
        return np.asarray(how.fit_predict(affinity(cosines)), dtype=np.int64)


def _dense(cosines: Floats) -> Ints:
    apart = np.sqrt(np.clip(2 - 2 * cosines, 0, None))
    np.fill_diagonal(apart, 0)
    how = HDBSCAN(min_cluster_size=2, metric="precomputed", copy=True)
    return np.asarray(how.fit_predict(apart), dtype=np.int64)


def _by_length(lengths: Floats, count: int) -> Ints:
    logarithms = np.log(lengths)[:, None]
    distinct = min(count, len(np.unique(logarithms)))
    seed = small_seed_of("regions", "norms", count)
    found = KMeans(distinct, n_init=20, random_state=seed).fit_predict(logarithms)
    return np.asarray(found, dtype=np.int64)


_FOUND: Mapping[Way, Callable[[Floats, Floats, int], Ints]] = {
    "spectral": lambda cosines, lengths, count: _spectral(cosines, count),
    "eigengap": lambda cosines, lengths, count: _spectral(cosines, eigengap(cosines)),
    "silhouette": lambda cosines, lengths, count: _spectral(cosines, best_silhouette(cosines)),
    "density": lambda cosines, lengths, count: _dense(cosines),
    "norm": lambda cosines, lengths, count: _by_length(lengths, count),
}

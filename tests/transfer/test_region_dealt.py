"""What labels are permuted over, and that every division is tried once."""

from __future__ import annotations

from itertools import permutations
from math import comb

import numpy as np
import pytest

from phasezoo.transfer.regions.cluster_scores import halves, judged
from phasezoo.transfer.regions.dealt import dealt, divided, divisions

DATASETS = [str(name) for name in np.repeat(np.arange(9), 5)]
FAMILIES = np.repeat(np.arange(3), 15)


def deal(labels: np.ndarray, permutations: int = 1000) -> object:
    return dealt(labels, DATASETS, permutations, np.random.default_rng(0))


def partition(labels: list[int]) -> frozenset[frozenset[int]]:
    return frozenset(
        frozenset(i for i, found in enumerate(labels) if found == label) for label in set(labels)
    )


@pytest.mark.parametrize("sizes", [(3, 3), (1, 2, 2), (1, 1, 1), (2, 3), (5,), (1, 1, 3)])
def test_divisions_are_all_permutations_once(sizes: tuple[int, ...]) -> None:
    labels = [label for label, size in enumerate(sizes) for _ in range(size)]
    found = [partition(way) for way in divided(tuple(range(len(labels))), sizes)]
    assert len(found) == len(set(found)) == divisions(sizes)
    assert set(found) == {partition(list(way)) for way in permutations(labels)}


def test_nine_data_sets_of_three_families_have_280_divisions() -> None:
    assert divisions((3, 3, 3)) == comb(9, 3) * comb(6, 3) // 6 == 280
    found = deal(FAMILIES)
    assert found.every
    assert len(found.labels) == 280
    of_dataset = found.labels.reshape(280, 9, 5)
    assert (of_dataset == of_dataset[:, :, :1]).all()


def test_more_divisions_than_permutations_are_drawn_of_whole_data_sets() -> None:
    found = deal(FAMILIES, 279)
    assert not found.every
    assert len(found.labels) == 279
    of_dataset = found.labels.reshape(279, 9, 5)
    assert (of_dataset == of_dataset[:, :, :1]).all()
    assert (np.sort(found.labels, axis=1) == FAMILIES).all()


@pytest.mark.parametrize("labels", [np.repeat(np.arange(9), 5), np.tile(np.arange(5), 9)])
def test_labels_that_are_the_data_sets_or_no_whole_ones_are_dealt_to_models(
    labels: np.ndarray,
) -> None:
    found = deal(labels, 97)
    assert not found.every
    assert found.labels.shape == (97, 45)
    assert (np.sort(found.labels, axis=1) == np.sort(labels)).all()
    of_dataset = found.labels.reshape(97, 9, 5)
    assert (of_dataset != of_dataset[:, :, :1]).any()


def test_clusters_that_go_by_data_sets_say_nothing_of_families() -> None:
    """Three clusters of whole data sets, five of nine right: models say never by chance."""
    clusters = np.repeat([0, 1, 1, 0, 1, 1, 0, 2, 2], 5)
    families = [str(family) for family in FAMILIES]
    (whole, alone) = (
        judged(clusters, families, strata, 100, 999)["one_to_one_accuracy"]
        for strata in (DATASETS, [str(model) for model in range(45)])
    )
    assert whole.found.value == alone.found.value == pytest.approx(5 / 9)
    assert alone.p < 0.02
    assert whole.p > 0.7
    assert whole.chance_high > alone.chance_high


def test_clusters_that_are_the_families_stay_beyond_chance() -> None:
    families = [str(family) for family in FAMILIES]
    for score in judged(FAMILIES, families, DATASETS, 100, 280).values():
        assert score.p == 1 / 280
    for score in judged(np.repeat(np.arange(9), 5), DATASETS, DATASETS, 100, 499).values():
        assert score.p == 1 / 500


@pytest.mark.parametrize("each", [2, 3, 5, 6])
def test_without_chance_of_seeds_an_interval_is_a_point(each: int) -> None:
    datasets = [str(name) for name in np.repeat(np.arange(9), each)]
    clusters = np.repeat(np.arange(3), 3 * each)
    for labels in (datasets, [str(cluster) for cluster in clusters]):
        for name, score in judged(clusters, labels, datasets, 300, 10).items():
            ends = (score.found.low, score.found.high)
            assert ends == pytest.approx((score.found.value,) * 2, abs=1e-12), name


def test_halves_take_as_many_of_each_stratum_and_vary_as_all() -> None:
    """The mean of a half varies around that of all n by s^2 / n, for even and odd n."""
    random = np.random.default_rng(5)
    for n in (3, 4, 5, 7):
        strata = [name for name in "ab" for _ in range(n)]
        found = halves(strata, 20000, np.random.default_rng(n))
        counted = found.reshape(-1, 2, n).sum(axis=2)
        assert (counted[:, 0] == counted[:, 1]).all()
        assert set(counted.ravel().tolist()) == {n // 2, (n + 1) // 2}
        values = random.standard_normal(n)
        means = (found[:, :n] * values).sum(axis=1) / counted[:, 0]
        expected = values.var(ddof=1) / n
        assert np.square(means - values.mean()).mean() == pytest.approx(expected, rel=0.05)
    assert halves(["a"], 10, random).all()

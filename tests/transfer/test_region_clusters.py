"""Clusters are found where there are any, and scores are those of scikit-learn and of hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score, f1_score, normalized_mutual_info_score

from phasezoo.transfer.regions.cluster_scores import f1, judged
from phasezoo.transfer.regions.clusters import NONE, WAYS, clusters, eigengap
from phasezoo.transfer.regions.contingency import SCORES, tables

LABELS = [name for name in "abc" for _ in range(5)]
STRATA = LABELS


def directions(noise: float, groups: int = 3, each: int = 5) -> np.ndarray:
    """Cosines of vectors around orthogonal directions."""
    random = np.random.default_rng(3)
    centres = np.repeat(np.eye(groups, 97), each, axis=0)
    vectors = centres + noise * random.standard_normal(centres.shape)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return units @ units.T


def whole(values: list[int]) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def score(name: str, found: np.ndarray, labels: np.ndarray) -> float:
    return float(SCORES[name](tables(found, labels[None]))[0])


@pytest.mark.parametrize("way", [way for way in WAYS if way != "norm"])
def test_clear_clusters_are_found_whatever_is_known(way: str) -> None:
    found = clusters(way, directions(0.05), np.ones(15), 3)
    assert len(set(found.tolist())) == 3
    assert adjusted_rand_score(LABELS, found) == 1


def test_the_eigengap_counts_clusters() -> None:
    for count in (2, 3, 5, 7):
        assert eigengap(directions(0.05, groups=count)) == count


def test_norms_alone_tell_lengths_and_no_directions() -> None:
    lengths = np.tile([1.0, 10.0, 100.0], 5)
    found = clusters("norm", directions(0.05), lengths, 3)
    assert adjusted_rand_score(lengths, found) == 1
    assert adjusted_rand_score(LABELS, found) < 0.1
    assert len(set(clusters("norm", directions(0.05), np.ones(15), 3).tolist())) == 1


@pytest.mark.parametrize("way", WAYS)
def test_models_that_diverged_are_in_no_cluster_and_move_no_other(way: str) -> None:
    cosines, lengths = directions(0.05), np.linspace(1, 3, 15)
    plain = clusters(way, cosines, lengths, 3)
    wide = np.full((16, 16), np.nan)
    kept = [i for i in range(16) if i != 7]
    wide[np.ix_(kept, kept)] = cosines
    found = clusters(way, wide, np.insert(lengths, 7, np.nan), 3)
    assert found[7] == NONE
    assert found[kept].tolist() == plain.tolist()


@pytest.mark.parametrize("way", WAYS)
def test_few_models_break_nothing(way: str) -> None:
    for models in (0, 1, 2, 3, 4):
        found = clusters(way, directions(0.3, each=2)[:models, :models], np.ones(models), 3)
        assert len(found) == models


def test_scores_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(5)
    for _ in range(23):
        labels, found = random.integers(4, size=31), random.integers(3, size=31)
        assert score("adjusted_rand", found, labels) == pytest.approx(
            adjusted_rand_score(labels, found), abs=1e-12
        )
        assert score("mutual_information", found, labels) == pytest.approx(
            normalized_mutual_info_score(labels, found), abs=1e-12
        )


def test_those_in_no_cluster_are_clusters_of_one_to_rand_and_wrong_to_accuracy() -> None:
    random = np.random.default_rng(6)
    labels, found = random.integers(4, size=31), random.integers(3, size=31)
    found[::5] = NONE
    alone = np.where(found == NONE, 100 + np.arange(31), found)
    assert score("adjusted_rand", found, labels) == pytest.approx(
        adjusted_rand_score(labels, alone), abs=1e-12
    )
    assert score("mutual_information", found, labels) == pytest.approx(
        normalized_mutual_info_score(labels, alone), abs=1e-12
    )
    nobody = np.full(31, NONE)
    assert score("clustering_accuracy", nobody, labels) == 0
    assert score("one_to_one_accuracy", nobody, labels) == 0


def test_accuracies_by_hand() -> None:
    labels = whole([0, 0, 0, 1, 1, 2, 2, 2])
    found = whole([0, 0, 1, 1, 1, 2, 2, 0])
    assert score("clustering_accuracy", found, labels) == 6 / 8
    # both clusters hold label 0 in majority: one of them only may stand for it
    twice = whole([0, 0, 1, 1, 1, 1, 2, 2])
    doubled = whole([0, 0, 0, 0, 1, 1, 2, 2])
    assert score("clustering_accuracy", twice, doubled) == 1 - 2 / 8
    split = whole([0, 0, 1, 1, 2, 2, 3, 3])
    assert score("clustering_accuracy", split, doubled) == 1
    assert score("one_to_one_accuracy", split, doubled) == 6 / 8


@pytest.mark.parametrize("name", SCORES)
def test_names_of_clusters_and_labels_do_not_matter(name: str) -> None:
    random = np.random.default_rng(7)
    labels, found = random.integers(4, size=31), random.integers(3, size=31)
    renamed = whole([5, 2, 11])[found]
    relabelled = whole([3, 0, 1, 2])[labels]
    assert score(name, renamed, relabelled) == pytest.approx(score(name, found, labels))
    assert score(name, labels, labels) == pytest.approx(1)


def test_f1_is_that_of_scikit_learn_for_what_majorities_tell() -> None:
    labels = ["a", "a", "a", "b", "b", "c"]
    found = whole([0, 0, 1, 1, 1, NONE])
    told = ["a", "a", "b", "b", "b", ""]
    expected = f1_score(labels, told, labels=["a", "b", "c"], average=None)
    assert list(f1(found, labels).values()) == pytest.approx(expected.tolist())
    assert f1(found, labels)["c"] == 0


def test_right_clusters_are_beyond_chance_and_random_ones_are_not() -> None:
    right = np.repeat([2, 0, 1], 5)
    for found in judged(right, LABELS, STRATA, 200, 199).values():
        interval = (found.found.low, found.found.value, found.found.high)
        assert interval == pytest.approx((1, 1, 1))
        assert found.p == 1 / 200
        assert found.chance <= found.chance_high < 0.9
    wrong = judged(np.tile(np.arange(5), 3), LABELS, STRATA, 200, 199)
    assert wrong["adjusted_rand"].p > 0.5
    assert wrong["adjusted_rand"].chance == pytest.approx(0, abs=0.03)


def test_intervals_hold_the_score_and_shrink_with_seeds() -> None:
    random = np.random.default_rng(8)
    widths = []
    for each in (6, 96):
        labels = [name for name in "abc" for _ in range(each)]
        found = np.repeat(np.arange(3), each)
        found[random.random(3 * each) < 0.3] = 0
        score = judged(found, labels, labels, 400, 10)["adjusted_rand"].found
        assert score.low < score.value < score.high
        widths.append(score.high - score.low)
    assert widths[1] < 0.5 * widths[0]

"""Starting points for efficient tuning, and paired comparisons of what comes of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from region_case import HOW, THREE, models_of, names, start_of, task_of
from scipy import stats

from phasezoo.models.flat import weights_of
from phasezoo.transfer.regions import centroid as module
from phasezoo.transfer.regions.centroid import (
    ARMS,
    Efficiently,
    centroid,
    chosen_scale,
    starting_points,
    tunings,
)
from phasezoo.transfer.regions.comparisons import holm, over_datasets, paired
from phasezoo.transfer.regions.models import Models
from phasezoo.transfer.regions.probes import Probed
from phasezoo.transfer.regions.task_vectors import bodies_of
from phasezoo.transfer.regions.tuning import Run, fine_tuned

CPU = torch.device("cpu")
FAMILIES = {"a1": "a", "a2": "a", "b1": "b", "b2": "b"}
DOMAINS = {"a1": "one", "a2": "two", "b1": "one", "b2": "two"}
DATASETS = [name for name in FAMILIES for _ in range(3)]
START = start_of()
MODELS = models_of(START, DATASETS, FAMILIES)
EFFICIENTLY = Efficiently(2, HOW, "biases", 23, (0.5, 1.0, 2.0), 0.3, 0.01)


def mean_of(*datasets: str) -> torch.Tensor:
    places = [[i for i, d in enumerate(DATASETS) if d == name] for name in datasets]
    return torch.stack([MODELS.bodies[of].mean(dim=0) for of in places]).mean(dim=0)


def test_the_centroid_of_one_model_is_the_model() -> None:
    one = Models(START, MODELS.bodies[:1], ["a1"], FAMILIES)
    found = centroid(one, lambda name: True)
    assert found is not None
    assert torch.equal(found, MODELS.bodies[0])
    assert centroid(one, lambda name: name != "a1") is None


def test_every_data_set_counts_the_same_in_a_centroid() -> None:
    models = models_of(START, DATASETS, FAMILIES)
    models.bodies[:2] = torch.nan
    found = centroid(models, lambda name: name.startswith("a"))
    assert found is not None
    assert torch.allclose(found, (models.bodies[2] + mean_of("a2")) / 2)


def test_no_starting_point_has_seen_the_target() -> None:
    found = starting_points(MODELS, "b1", 2.0, DOMAINS, "draw=0")
    start = START.body.double()
    assert tuple(found) == ARMS
    assert torch.equal(found["pre-trained"], start)
    assert torch.allclose(found["centroid"], mean_of("a1", "a2", "b2"))
    assert torch.allclose(found["centroid but family"], mean_of("a1", "a2"))
    assert torch.allclose(found["centroid but domain"], mean_of("a2", "b2"))
    assert torch.allclose(found["scaled"], start + 2 * (found["centroid"] - start))
    others = {
        DATASETS[int((MODELS.bodies == found["other"]).all(dim=1).nonzero())]
        for found in (starting_points(MODELS, "b1", 1, DOMAINS, draw) for draw in range(23))
    }
    assert others == {"a1", "a2", "b2"}
    moved = models_of(START, DATASETS, FAMILIES)
    moved.bodies[6:9] += 1  # those of the target
    again = starting_points(moved, "b1", 2.0, DOMAINS, "draw=0")
    assert all(torch.equal(again[arm], body) for arm, body in found.items())


def test_what_there_is_no_model_for_is_left_out() -> None:
    alone = Models(START, MODELS.bodies[:3], ["b1"] * 3, FAMILIES)
    assert set(starting_points(alone, "b1", 1.0, {}, "draw=0")) == {"pre-trained"}
    assert "centroid but domain" not in starting_points(MODELS, "b1", 1.0, {}, "draw=0")


def test_the_scale_is_that_of_the_least_loss_on_training_samples_held_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = []

    def probe(start: object, bodies: torch.Tensor, task: object, *rest: object, **how: object):
        seen.append((bodies, task))
        return Probed(np.array([3.0, np.nan, 1.0]), np.zeros(3), np.ones(3, dtype=bool))

    monkeypatch.setattr(module, "probed", probe)
    assert chosen_scale(MODELS, task_of("b1"), EFFICIENTLY, CPU, "draw=0") == 2.0
    ((bodies, task),) = seen
    assert torch.allclose(bodies[1], mean_of("a1", "a2", "b2"))
    inside = (task.test_inputs[:, None] == THREE.train_inputs).flatten(2).all(dim=2).any(dim=1)
    assert inside.all()


def test_tunings_of_a_draw_differ_in_their_bodies_alone() -> None:
    """Where every model is the start, so are all centroids, and all arms are one."""
    same = Models(START, START.body.double().expand(12, -1), DATASETS, FAMILIES)
    draws = [names(0), names(1)]
    found = tunings(same, task_of("b1"), draws, EFFICIENTLY, DOMAINS)
    assert found.error.shape == (len(ARMS), 2)
    assert np.allclose(found.loss, found.loss[:1], atol=1e-5)
    assert found.loss[0, 0] != found.loss[0, 1]


def test_a_tuning_is_that_of_its_starting_point() -> None:
    task, how = task_of("b1"), replace(EFFICIENTLY, samples=None)
    found = tunings(MODELS, task, [names(0)], how, {})
    body = mean_of("a1", "a2", "b2").float()
    (alone,) = fine_tuned(START, [Run(task, names(0), body)], 2, HOW, "biases")
    assert found.loss[ARMS.index("centroid"), 0] == pytest.approx(alone.test.loss, abs=1e-4)
    assert np.isnan(found.loss[ARMS.index("centroid but domain"), 0])
    assert found.scale[0] in how.scales


def test_what_was_learned_elsewhere_helps_with_few_samples() -> None:
    """Models of the same task under other names: their centroid knows it, the start does not."""
    tuned = fine_tuned(START, [Run(THREE, names(seed)) for seed in range(3)], 20, HOW)
    weights = [one.weights for one in tuned]
    bodies = bodies_of(START, weights, [3] * 3)
    assert weights_of(START.network(3, bodies[0].float())).parameters.isfinite().all()
    models = Models(START, bodies, ["a1", "a2", "b2"], FAMILIES)
    how = Efficiently(10, HOW, "head", 9, (1.0,), 0.4, 0.01)
    found = tunings(models, task_of("b1"), [names(seed) for seed in range(3)], how, {})
    mean = dict(zip(ARMS, found.loss.mean(axis=1), strict=True))
    assert mean["centroid"] < mean["pre-trained"]


def test_a_pair_of_equals_gains_nothing() -> None:
    errors = np.random.default_rng(0).random(7)
    found = paired(errors, errors, 200, "x")
    assert found.gain.value == found.gain.low == found.gain.high == 0
    assert found.p == 1


def test_p_of_pairs_is_the_share_of_all_flips_of_signs() -> None:
    gains = np.array([0.3, 0.1, -0.05, 0.2, 0.15])
    found = paired(gains, np.zeros(5), 200, "x")
    signs = np.array(np.meshgrid(*[[-1, 1]] * 5)).reshape(5, -1)
    means = np.abs(signs.T @ gains / 5)
    assert found.p == pytest.approx((means >= abs(gains.mean()) - 1e-12).mean())
    assert found.gain.value == pytest.approx(gains.mean())
    assert found.gain.low < found.gain.value < found.gain.high
    all_positive = paired(np.abs(gains), np.zeros(5), 200, "x")
    assert all_positive.p == 2 / 2**5


def test_pairs_that_diverged_are_left_out() -> None:
    first = np.array([0.3, np.nan, 0.2, 0.5])
    second = np.array([0.1, 0.1, np.nan, 0.4])
    assert paired(first, second, 200, "x").gain.value == pytest.approx(0.15)
    assert np.isnan(paired(first[1:2], second[1:2], 200, "x").p)


def test_over_data_sets_each_is_a_unit() -> None:
    gains = [0.3, 0.11, -0.04, 0.23, 0.17, 0.02]
    pairs = [(np.full(n + 2, gain), np.zeros(n + 2)) for n, gain in enumerate(gains)]
    found = over_datasets([*pairs, (np.array([np.nan]), np.zeros(1))], 500, "x")
    assert found.gain.value == pytest.approx(np.mean(gains))
    assert found.gain.low < found.gain.value < found.gain.high
    assert found.signed_rank_p == pytest.approx(stats.wilcoxon(gains).pvalue)
    assert found.sign_p == pytest.approx(stats.binomtest(5, 6).pvalue)
    assert (found.won, found.tied, found.lost) == (5, 0, 1)
    mirrored = over_datasets([(b, a) for a, b in pairs], 500, "x")
    assert mirrored.signed_rank_p == pytest.approx(found.signed_rank_p)
    assert (mirrored.won, mirrored.lost) == (1, 5)


def test_data_sets_without_a_difference_are_ties() -> None:
    found = over_datasets([(np.ones(3), np.ones(3))] * 4, 200, "x")
    assert (found.won, found.tied, found.lost) == (0, 4, 0)
    assert np.isnan(found.signed_rank_p)
    assert np.isnan(found.sign_p)
    nothing = over_datasets([], 200, "x")
    assert np.isnan(nothing.gain.value)


def test_holm_by_hand() -> None:
    found = holm(np.array([0.04, np.nan, 0.01, 0.03, 0.5]))
    assert found[[0, 2, 3, 4]] == pytest.approx([0.09, 0.04, 0.09, 0.5])
    assert np.isnan(found[1])
    assert holm(np.array([0.2])) == pytest.approx([0.2])
    assert holm(np.array([0.9, 0.9])).max() == 1

"""Starting points for efficient tuning, and what comes of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from region_case import HOW, THREE, models_of, names, start_of, task_of

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

"""Means of late checkpoints: recipes, and units that training exchanged."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch

import oracles
from merging import nets
from phasezoo import rng
from phasezoo.merging.late import late_soups, recipes_of, share_moved
from phasezoo.merging.permutation import Part, PermutationSpec, Product, infer, permute
from phasezoo.merging.soups import greedy_soup, uniform_soup
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import Weights
from phasezoo.training.evaluate import evaluate
from phasezoo.training.train import start, train

TASK = oracles.blobs(train=101, test=53, shape=(2, 5, 5), classes=5)
MLP = nets.mlp(2, 11)
NET = nets.Network(build(MLP, TASK.shape, TASK.classes), nets.CPU)
SPEC = infer(NET.module, TASK.test_inputs[:2])


@functools.cache
def checkpoints() -> list[Weights]:
    module = build(MLP, TASK.shape, TASK.classes)
    initialise(module, rng.generator("init", 0))
    how = oracles.optimisation(oracles.onecycle(7))
    return [of.weights for of in train(module, TASK, how, ("late",), start(module), (5, 6, 7))]


def merged(models: list[Weights]) -> dict[str, np.ndarray]:
    chance = rng.generator("late")
    return late_soups(NET, SPEC, TASK, models, ("kept", "repair"), chance, sweeps=20)


def test_recipes_are_the_means_of_the_last_and_the_greedy_soup() -> None:
    models, found = checkpoints(), merged(checkpoints())
    assert recipes_of(3) == ("last_1", "last_2", "last_3", "greedy")
    wanted = [uniform_soup(NET, TASK, models[-k:], "kept") for k in (1, 2, 3)]
    wanted.append(greedy_soup(NET, TASK, models, "kept"))
    assert found["late_soup_loss_naive"][0].tolist() == [of.loss for of in wanted]
    assert found["late_soup_error_naive"][0].tolist() == [of.error for of in wanted]
    last = evaluate(NET.function(models[-1]), TASK.test_inputs, TASK.test_labels)
    assert found["late_soup_loss_naive"][0, 0] == pytest.approx(last.loss, rel=1e-12)


def test_checkpoints_of_one_run_are_in_one_frame() -> None:
    found = merged(checkpoints())
    assert found["late_units_moved"].tolist() == [0, 0, 0]
    for what in ("loss", "error"):
        np.testing.assert_array_equal(
            found[f"late_soup_{what}_aligned"], found[f"late_soup_{what}_naive"]
        )


def test_units_that_were_exchanged_are_found_and_put_back() -> None:
    first, *others = checkpoints()
    swap = torch.tensor([1, 0, *range(2, 11)])
    swapped = permute(NET, SPEC, first, {SPEC.names[1]: swap})
    found, plain = merged([swapped, *others]), merged(checkpoints())
    np.testing.assert_allclose(found["late_units_moved"], [2 / 22, 0, 0])
    np.testing.assert_allclose(
        found["late_soup_loss_aligned"], plain["late_soup_loss_naive"], rtol=1e-5
    )
    assert found["late_soup_loss_naive"][0, 2] != pytest.approx(
        plain["late_soup_loss_naive"][0, 2], rel=1e-3
    )


def test_units_within_heads_are_counted_one_by_one() -> None:
    axis = Product((Part("heads", 2), Part("units", 3)))
    spec = PermutationSpec({"v": (axis,)}, within={"units": ("heads",)})
    still = torch.arange(3).repeat(2, 1)
    assert share_moved(spec, {"heads": torch.tensor([1, 0]), "units": still}) == 1
    turned = torch.tensor([[0, 1, 2], [0, 2, 1]])
    assert share_moved(spec, {"heads": torch.tensor([0, 1]), "units": turned}) == 2 / 8
    assert share_moved(spec, {}) == 0

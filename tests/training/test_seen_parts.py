"""Models that see different parts of a training set are trained on just these parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

import oracles
from phasezoo import rng
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import load_weights
from phasezoo.spec import architecture as spec
from phasezoo.spec.training import Augmentation, Constant, Lbfgs, Optimisation
from phasezoo.training.checkpoint import Checkpoint
from phasezoo.training.choice import choose
from phasezoo.training.fit import bytes_of
from phasezoo.training.member import Member, alike
from phasezoo.training.population import train_population
from phasezoo.training.progress import Progress
from phasezoo.training.train import start, train

MLP = spec.Mlp(name="mlp", hidden_layers=1, width=5)
TASK = oracles.blobs()  # 53 samples
EPOCHS = (1, 3)
PARTS = [torch.arange(53)[i::2][:23] for i in (0, 1)] + [torch.arange(23)]
SGD = Optimisation(optimiser=oracles.sgd(0.1), schedule=oracles.onecycle(3), batch_size=7)
LBFGS = Optimisation(
    optimiser=Lbfgs(
        name="lbfgs", learning_rate=1.0, history=3, tolerance_grad=0.0, tolerance_change=0.0
    ),
    schedule=Constant(name="constant"),
    batch_size="full",
)
WAYS = {
    "batches": SGD,
    "full": SGD.model_copy(update={"batch_size": "full"}),
    "augmented": SGD.model_copy(update={"augmentation": Augmentation(crop=1)}),
    "lbfgs": LBFGS,
}
ways = pytest.mark.parametrize("how", WAYS.values(), ids=WAYS)


def member(how: Optimisation, seed: int, seen: Tensor | None) -> Member:
    module = build(MLP, TASK.shape, TASK.classes)
    initialise(module, rng.generator("seen", seed, "init"))
    origin = start(module, how.optimiser.moments)
    return Member(("seen", f"seed={seed}"), TASK, how, origin, seen)


def members(how: Optimisation) -> list[Member]:
    return [member(how, seed, seen) for seed, seen in enumerate(PARTS)]


def on_a_data_set_of_its_own(one: Member) -> list[Checkpoint]:
    """The same model on a task that has nothing but what it sees."""
    inputs, labels = one.task.train_inputs[one.seen], one.task.train_labels[one.seen]
    task = replace(one.task, train_inputs=inputs, train_labels=labels)
    module = load_weights(build(MLP, task.shape, task.classes), one.origin.weights)
    return list(train(module, task, one.optimisation, one.names, one.origin, EPOCHS))


def population(some: Sequence[Member], stack: int | str) -> list[list[Checkpoint]]:
    set_so = [
        replace(one, optimisation=one.optimisation.model_copy(update={"stack": stack}))
        for one in some
    ]
    return train_population(build(MLP, TASK.shape, TASK.classes), set_so, EPOCHS).checkpoints


@ways
def test_alone_it_is_a_training_on_a_data_set_of_the_part_to_the_bit(how: Optimisation) -> None:
    some = members(how)
    for one, found in zip(some, population(some, "one"), strict=True):
        for is_now, wanted in zip(found, on_a_data_set_of_its_own(one), strict=True):
            assert torch.equal(is_now.weights.parameters, wanted.weights.parameters)


@ways
def test_together_each_is_still_trained_on_its_own_part(how: Optimisation) -> None:
    some = members(how)
    assert len(alike(some)) == 1
    for one, found in zip(some, population(some, 3), strict=True):
        for is_now, wanted in zip(found, on_a_data_set_of_its_own(one), strict=True):
            torch.testing.assert_close(
                is_now.weights.parameters, wanted.weights.parameters, rtol=0, atol=1e-5
            )
    of_all = population([replace(one, seen=None) for one in some], 3)
    assert (of_all[0][-1].weights.parameters - found[-1].weights.parameters).abs().max() > 1e-3


@ways
def test_to_see_everything_by_position_is_to_see_everything(how: Optimisation) -> None:
    everything, plain = (member(how, 7, seen) for seen in (torch.arange(53), None))
    by_position, as_ever = population([everything], "one"), population([plain], "one")
    assert torch.equal(by_position[0][-1].weights.parameters, as_ever[0][-1].weights.parameters)


def test_models_that_see_other_numbers_of_samples_are_not_of_one_kind() -> None:
    """Two parts of 23, one of 29 and all 53: their epochs have other numbers of steps."""
    parts = [*PARTS[:2], torch.arange(29), None]
    assert alike([member(SGD, seed, seen) for seed, seen in enumerate(parts)]) == [[0, 1], [2], [3]]


def test_what_is_counted_of_a_model_is_what_it_sees() -> None:
    """Samples left, steps too few to measure, memory: all of 23 samples, not of 53."""
    some = members(SGD)
    progress = Progress(some, 5, print)
    assert progress._left == 3 * 5 * 23
    module = build(MLP, TASK.shape, TASK.classes)
    # 8 batches an epoch of all, 4 of the part; a training of fewer than 200 steps is not measured
    many = [replace(some[0], names=("seen", str(i))) for i in range(6)]
    assert choose(module, many, 26, 2**40).reason == "too few steps to measure"
    whole = replace(some[0], seen=None)
    assert bytes_of(module, whole) - bytes_of(module, some[0]) == 8 * 53 - 16 * 23

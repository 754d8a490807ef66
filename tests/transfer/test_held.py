"""What is held stays to the bit, and all else goes as it would without it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional

import oracles
from phasezoo import rng
from phasezoo.models.build import build
from phasezoo.models.flat import load_weights, parameter_layout
from phasezoo.spec.architecture import Architecture
from phasezoo.spec.optimisers import AdamW, Lbfgs
from phasezoo.spec.training import Constant, Optimisation
from phasezoo.training.member import Member
from phasezoo.training.train import start, train
from phasezoo.transfer.held import train_held
from phasezoo.vocabulary import Status
from transfer import nets

BOTH = pytest.mark.parametrize("architecture", [nets.MLP, nets.RESNET], ids=["mlp", "resnet"])
HOW = oracles.optimisation(Constant(name="constant"), batch_size=17)
ADAM = AdamW(
    name="adamw", learning_rate=0.01, momentum=0.9, second_moment=0.99, epsilon=1e-8,
    weight_decay=0.1,
)  # fmt: skip
EPOCHS = 3


def member(architecture: Architecture, seed: int = 0, how: Optimisation = HOW) -> Member:
    module = build(architecture, nets.TASK.shape, nets.TASK.classes)
    load_weights(module, nets.model(architecture, seed))
    return Member(("m", str(seed)), nets.TASK, how, start(module, how.optimiser.moments))


def free_of(architecture: Architecture, members: int, share: float = 0.6) -> Tensor:
    size = parameter_layout(build(architecture, nets.TASK.shape, 3)).size
    return torch.rand(members, size, generator=rng.generator("free")) < share


def module_of(architecture: Architecture) -> torch.nn.Module:
    return build(architecture, nets.TASK.shape, nets.TASK.classes)


@BOTH
def test_with_nothing_held_it_is_ordinary_training(architecture: Architecture) -> None:
    one, module = member(architecture), module_of(architecture)
    (found,) = train_held(module, [one], torch.ones_like(free_of(architecture, 1)), EPOCHS)
    load_weights(module, one.origin.weights)
    (expected,) = train(module, nets.TASK, HOW, one.names, one.origin, (EPOCHS,))
    torch.testing.assert_close(found.weights.parameters, expected.weights.parameters)
    torch.testing.assert_close(found.weights.buffers, expected.weights.buffers)


@BOTH
@pytest.mark.parametrize("optimiser", [HOW.optimiser, ADAM], ids=["sgd", "adamw"])
def test_what_is_held_stays_to_the_bit_and_the_rest_moves(
    architecture: Architecture, optimiser: object
) -> None:
    how = HOW.model_copy(update={"optimiser": optimiser})
    members = [member(architecture, seed, how) for seed in range(3)]
    free = free_of(architecture, 3)
    found = train_held(module_of(architecture), members, free, EPOCHS)
    for row, (one, last) in enumerate(zip(members, found, strict=True)):
        before, after = one.origin.weights.parameters, last.weights.parameters
        assert torch.equal(after[~free[row]], before[~free[row]])
        assert (after[free[row]] != before[free[row]]).double().mean() > 0.9


def test_the_rest_goes_as_with_gradients_of_its_own_alone() -> None:
    """The same training written out: SGD on the free weights, the others constants."""
    one, free, network = member(nets.MLP), free_of(nets.MLP, 1), nets.network(nets.MLP)
    theta, velocity = one.origin.weights.parameters.clone(), torch.zeros(free.shape[1])
    for epoch in range(1, EPOCHS + 1):
        order = torch.randperm(53, generator=rng.generator(*one.names, "order", epoch))
        for batch in order.split(17):
            moving = theta.clone().requires_grad_()
            whole = torch.where(free[0], moving, theta)
            tensors = network.parameters.unflatten(whole)
            outputs = functional_call(network.module, tensors, (nets.TASK.train_inputs[batch],))
            functional.cross_entropy(outputs, nets.TASK.train_labels[batch]).backward()
            assert moving.grad is not None
            velocity = 0.9 * velocity + (moving.grad + 5e-4 * theta) * free[0]
            theta = theta - 0.1 * velocity
    (found,) = train_held(module_of(nets.MLP), [one], free, EPOCHS)
    torch.testing.assert_close(found.weights.parameters, theta, rtol=1e-4, atol=1e-5)


@BOTH
def test_many_at_once_are_each_by_itself(architecture: Architecture) -> None:
    members, free = [member(architecture, seed) for seed in range(7)], free_of(architecture, 7)
    found = train_held(module_of(architecture), members, free, EPOCHS)
    for row in (0, 6):
        rows = slice(row, row + 1)
        (alone,) = train_held(module_of(architecture), members[rows], free[rows], EPOCHS)
        torch.testing.assert_close(
            found[row].weights.parameters, alone.weights.parameters, rtol=1e-3, atol=1e-4
        )


def test_statistics_move_unless_they_are_to_stay() -> None:
    one, free = member(nets.RESNET), free_of(nets.RESNET, 1)
    (moved,), (still,) = (
        train_held(module_of(nets.RESNET), [one], free, EPOCHS, still=s) for s in (False, True)
    )
    assert torch.equal(still.weights.buffers, one.origin.weights.buffers)
    assert not torch.equal(moved.weights.buffers, one.origin.weights.buffers)


def test_one_that_diverges_leaves_the_others() -> None:
    members, free = [member(nets.MLP, seed) for seed in range(7)], free_of(nets.MLP, 7)
    far = members[2].origin.weights.parameters * 1e25
    weights = replace(members[2].origin.weights, parameters=far)
    members[2] = replace(members[2], origin=replace(members[2].origin, weights=weights))
    found = train_held(module_of(nets.MLP), members, free, EPOCHS)
    expected = [Status.DIVERGED if row == 2 else Status.TRAINED for row in range(7)]
    assert [one.status for one in found] == expected


def test_a_line_search_and_several_kinds_are_refused() -> None:
    line = Lbfgs(
        name="lbfgs", learning_rate=1.0, history=3, tolerance_grad=1e-7, tolerance_change=1e-9
    )  # fmt: skip
    one = member(nets.MLP)
    how = HOW.model_copy(update={"optimiser": line, "batch_size": "full"})
    with pytest.raises(ValueError, match="got lbfgs, allowed is sgd or adamw"):
        train_held(module_of(nets.MLP), [replace(one, optimisation=how)], free_of(nets.MLP, 1), 1)
    other = replace(one, optimisation=HOW.model_copy(update={"batch_size": 5}))
    with pytest.raises(ValueError, match="got 2 kinds, allowed is one"):
        train_held(module_of(nets.MLP), [one, other], free_of(nets.MLP, 2), 1)


def test_nobody_is_trained_where_there_is_nobody() -> None:
    assert train_held(module_of(nets.MLP), [], free_of(nets.MLP, 0), 1) == []

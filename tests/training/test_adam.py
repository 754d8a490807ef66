"""AdamW on one flat vector is torch's AdamW on its tensors, to the bit."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional

import oracles
from phasezoo import rng
from phasezoo.models.build import initialise
from phasezoo.models.flat import load_weights, weights_of
from phasezoo.models.mlp import MLP
from phasezoo.spec.training import AdamW, Constant
from phasezoo.training.adam import FlatAdamW
from phasezoo.training.train import start, train

INPUTS = oracles.vector(17 * 15, 0).reshape(17, 15).float()
LABELS = torch.arange(17) % 3
TASK = oracles.blobs()


def adamw(weight_decay: float = 0.03) -> AdamW:
    return AdamW(
        name="adamw",
        learning_rate=0.01,
        momentum=0.9,
        second_moment=0.99,
        epsilon=1e-8,
        weight_decay=weight_decay,
    )


def module() -> nn.Module:
    found = MLP((15,), 3, 7, 2)
    initialise(found, rng.generator("adam"))
    return found


def nothing(of: nn.Module) -> torch.Tensor:
    return torch.zeros(2, sum(p.numel() for p in of.parameters()))


@pytest.mark.parametrize("weight_decay", [0.0, 0.03])
def test_steps_are_torchs_own_with_rates_that_change(weight_decay: float) -> None:
    ours = module()
    theirs = copy.deepcopy(ours)
    flat = FlatAdamW(ours, adamw(weight_decay), nothing(ours), steps=0)
    torchs = torch.optim.AdamW(
        theirs.parameters(), betas=(0.9, 0.99), weight_decay=weight_decay, foreach=False
    )
    for rate in (0.01, 0.037, 0.002, 1e-4):
        flat.zero_grad()
        functional.cross_entropy(ours(INPUTS), LABELS).backward()
        flat.step(rate, 0.9)
        torchs.param_groups[0].update(lr=rate)
        torchs.zero_grad()
        functional.cross_entropy(theirs(INPUTS), LABELS).backward()
        torchs.step()
        assert torch.equal(weights_of(ours).parameters, weights_of(theirs).parameters)
    for kept, name in zip(flat.state, ("exp_avg", "exp_avg_sq"), strict=True):
        theirs_kept = [torchs.state[p][name].reshape(-1) for p in theirs.parameters()]
        assert torch.equal(kept, torch.cat(theirs_kept))


@pytest.mark.parametrize("batch_size", [20, "full"])
def test_a_training_that_goes_on_from_its_state_is_the_unbroken_one(
    batch_size: int | str,
) -> None:
    how = oracles.optimisation(Constant(name="constant"), batch_size=batch_size, optimiser=adamw())
    names = ("adam", "resumed")

    def fresh() -> nn.Module:
        return MLP(TASK.shape, TASK.classes, 7, 2)

    whole = fresh()
    initialise(whole, rng.generator(*names))
    first = start(whole, moments=2)
    unbroken = list(train(whole, TASK, how, names, first, (2, 5)))
    resumed = fresh()
    load_weights(resumed, unbroken[0].weights)
    (last,) = train(resumed, TASK, how, names, unbroken[0], (5,))
    assert torch.equal(last.weights.parameters, unbroken[1].weights.parameters)
    assert torch.equal(last.state, unbroken[1].state)
    assert last.state.shape == (2, len(last.weights.parameters))


def test_a_full_batch_is_one_step_over_all_samples() -> None:
    how = oracles.optimisation(
        Constant(name="constant"), batch_size="full", optimiser=oracles.sgd(weight_decay=0.0)
    )
    net = MLP(TASK.shape, TASK.classes, 7, 2)
    initialise(net, rng.generator("full"))
    before = copy.deepcopy(net)
    list(train(net, TASK, how, ("full",), start(net), (1,)))
    loss = functional.cross_entropy(before(TASK.train_inputs), TASK.train_labels)
    slopes = torch.autograd.grad(loss, list(before.parameters()))
    moved = (p - 0.1 * g for p, g in zip(before.parameters(), slopes, strict=True))
    expected = torch.cat([tensor.reshape(-1) for tensor in moved])
    torch.testing.assert_close(weights_of(net).parameters, expected)


@pytest.mark.parametrize("batch_size", [20, "full"])
@pytest.mark.parametrize("at_once", [1, 7, 20, 1000])
def test_parts_of_a_batch_add_up_to_it(batch_size: int | str, at_once: int) -> None:
    """53 samples, so the last batch of 20 and the last part of 7 are short."""
    how = oracles.optimisation(
        Constant(name="constant"), batch_size=batch_size, optimiser=oracles.sgd()
    )
    found, reported = [], []
    for one in (how, how.model_copy(update={"at_once": at_once})):
        net = MLP(TASK.shape, TASK.classes, 7, 2)
        initialise(net, rng.generator("parts"))
        losses: list[float] = []

        def keep(epoch: int, loss: float, losses: list[float] = losses) -> None:
            losses.append(loss)

        (last,) = train(net, TASK, one, ("parts",), start(net), (3,), keep)
        found.append(last.weights.parameters)
        reported.append(losses)
    torch.testing.assert_close(found[1], found[0], rtol=1e-5, atol=1e-6)
    assert reported[1] == pytest.approx(reported[0], rel=1e-5)
    if at_once >= 53:
        assert torch.equal(found[1], found[0])

"""Straight-through estimation is never worse than weight matching on what it holds out."""

from __future__ import annotations

import functools
import math

import pytest
import torch
from torch.nn import functional

import oracles
from merging import nets
from phasezoo import rng
from phasezoo.merging import straight_through as learned
from phasezoo.merging.alignment import Alignment
from phasezoo.merging.permutation import permutation_spec, permute
from phasezoo.merging.straight_through import straight_through
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import Weights, load_weights
from phasezoo.spec.architecture import Architecture
from phasezoo.spec.merging import Learning
from phasezoo.training.train import start, train

TASK = oracles.blobs(train=101, test=53, shape=(2, 5, 5), classes=5)
MLP, RESIDUAL = nets.mlp(2, 7), nets.resnet(2, 3)
BOTH = pytest.mark.parametrize("architecture", [MLP, RESIDUAL], ids=["mlp", "resnet"])
HOW = Learning(epochs=5, batch_size=31, learning_rate=0.03, momentum=0.9, held_out=0.3)


@functools.cache
def trained(architecture: Architecture, seed: int) -> Weights:
    module = build(architecture, TASK.shape, TASK.classes)
    initialise(module, rng.generator("init", seed))
    how = oracles.optimisation(oracles.onecycle(5))
    (last,) = train(module, TASK, how, ("learned", str(seed)), start(module), (5,))
    return last.weights


def network(architecture: Architecture) -> nets.Network:
    return nets.Network(build(architecture, TASK.shape, TASK.classes), nets.CPU)


def aligned(architecture: Architecture, models: list[Weights], how: Learning = HOW) -> Alignment:
    net = network(architecture)
    spec = permutation_spec(net.module)
    return straight_through(
        net, spec, models, rng.generator("ste"), task=TASK, learning=how, sweeps=20
    )


@BOTH
def test_a_hidden_permutation_is_found(architecture: Architecture) -> None:
    net, one = network(architecture), trained(architecture, 0)
    spec = permutation_spec(net.module)
    copy = permute(net, spec, one, nets.random_permutations(net, spec, 0))
    found = aligned(architecture, [one, copy], HOW.model_copy(update={"epochs": 1}))
    assert torch.equal(found.applied(net, spec, [one, copy])[1].parameters, one.parameters)


def test_the_loss_held_out_never_rises_and_often_falls() -> None:
    fell = 0
    for seed in range(4):
        found = aligned(MLP, [trained(MLP, 2 * seed), trained(MLP, 2 * seed + 1)])
        steps = torch.tensor(found.objective).diff()
        assert (steps >= 0).all()
        assert len(found.objective) == HOW.epochs + 1
        fell += found.gain > 0
    assert fell >= 2


@BOTH
def test_the_objective_is_the_loss_of_the_midpoint_on_what_is_held_out(
    architecture: Architecture,
) -> None:
    net, models = network(architecture), [trained(architecture, seed) for seed in range(2)]
    spec = permutation_spec(net.module)
    found = aligned(architecture, models)
    order = torch.randperm(101, generator=rng.generator("ste"))  # what it draws first
    held, kept = order[:30], order[30:]
    first, second = found.applied(net, spec, models)
    middle = (first.parameters + second.parameters) / 2
    weights = net.with_statistics(middle, TASK.train_inputs[kept])
    module = load_weights(build(architecture, TASK.shape, TASK.classes), weights)
    with torch.no_grad():
        logits = module(TASK.train_inputs[held])
    loss = functional.cross_entropy(logits, TASK.train_labels[held]).item()
    assert found.objective[-1] == pytest.approx(-loss, rel=1e-5)


def test_what_is_held_out_takes_no_part_in_learning(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[torch.Tensor] = []
    plain = learned._gradient

    def watched(net: nets.Network, at: torch.Tensor, inputs: torch.Tensor, labels: torch.Tensor):
        seen.append(inputs)
        return plain(net, at, inputs, labels)

    monkeypatch.setattr(learned, "_gradient", watched)
    aligned(MLP, [trained(MLP, 0), trained(MLP, 1)], HOW.model_copy(update={"epochs": 2}))
    held = TASK.train_inputs[torch.randperm(101, generator=rng.generator("ste"))[:30]]
    samples = torch.cat(seen)
    assert len(samples) == 2 * 71
    assert not (samples[:, None] == held).flatten(2).all(dim=2).any()


def test_the_gradient_is_half_that_of_the_midpoint() -> None:
    """One step without momentum moves the free weights by - rate / 2 times it."""
    net, A = network(MLP), trained(MLP, 0)
    at = A.parameters.double()
    wide = nets.Network(build(MLP, TASK.shape, TASK.classes).double(), nets.CPU)
    found = learned._gradient(net, A.parameters.clone(), TASK.train_inputs, TASK.train_labels)
    expected = torch.func.grad(
        lambda theta: functional.cross_entropy(
            wide.apply(theta, torch.empty(0), TASK.train_inputs.double()), TASK.train_labels
        )
    )(at)
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("share", [0.0, 1.0, 0.001])
def test_there_must_be_something_to_choose_by_and_to_learn_from(share: float) -> None:
    with pytest.raises(ValueError, match=r"held_out: got .* of 101 samples"):
        aligned(MLP, [trained(MLP, 0), trained(MLP, 1)], HOW.model_copy(update={"held_out": share}))


def test_the_same_generator_learns_the_same() -> None:
    models = [trained(MLP, 0), trained(MLP, 1)]
    first, second = (aligned(MLP, models, HOW.model_copy(update={"epochs": 2})) for _ in range(2))
    assert first.objective == second.objective
    assert not math.isnan(first.objective[-1])

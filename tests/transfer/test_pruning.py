"""Pruning differs from the whole model in what is removed, and in nothing else."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

import oracles
from phasezoo.models.build import build
from phasezoo.models.flat import Weights, load_weights
from phasezoo.spec.architecture import Architecture
from phasezoo.spec.downstream import Pruning
from phasezoo.spec.training import Constant
from phasezoo.training.checkpoint import Checkpoint
from phasezoo.training.evaluate import evaluate
from phasezoo.training.train import start, train
from phasezoo.transfer.held import train_held
from phasezoo.transfer.magnitudes import kept
from phasezoo.transfer.pruning import Pruned, pruning
from transfer import nets

BOTH = pytest.mark.parametrize("architecture", [nets.MLP, nets.RESNET], ids=["mlp", "resnet"])
NAMES = ("zoo", "seed=0")
HOW = oracles.optimisation(Constant(name="constant"), batch_size=17)
EPOCHS = 2


def options(*sparsities: float, learning_rate: float = 0.1) -> Pruning:
    optimiser = oracles.sgd(learning_rate=learning_rate)
    return Pruning(
        epochs=(3,),
        scopes=("global", "layer"),
        sparsities=sparsities,
        retrain_epochs=EPOCHS,
        optimisation=HOW.model_copy(update={"optimiser": optimiser}),
    )


def pruned(architecture: Architecture, weights: Weights, how: Pruning) -> Pruned:
    (found,) = pruning(nets.network(architecture), [(weights, NAMES)], nets.TASK, how)
    return found


def error(architecture: Architecture, vector: torch.Tensor) -> float:
    """Of a plain module, its statistics re-estimated by a pass over the training inputs."""
    net = build(architecture, nets.TASK.shape, 3)
    zeros = torch.zeros(len(nets.model(architecture).buffers))
    load_weights(net, Weights(vector, zeros))
    for norm in net.modules():
        if isinstance(norm, torch.nn.BatchNorm2d):
            norm.momentum = None
    with torch.no_grad():
        net.train()(nets.TASK.train_inputs)
    return evaluate(net.eval(), nets.TASK.test_inputs, nets.TASK.test_labels).error


@BOTH
def test_errors_are_those_of_models_without_the_smallest_weights(
    architecture: Architecture,
) -> None:
    weights, how = nets.model(architecture), options(0.4, 0.9)
    found, net = pruned(architecture, weights, how), nets.network(architecture).module
    assert found.whole == error(architecture, weights.parameters)
    for row, scope in enumerate(how.scopes):
        for column, sparsity in enumerate(how.sparsities):
            stays = kept(net, weights.parameters, sparsity, scope)
            expected = error(architecture, weights.parameters * stays)
            assert found.pruned[row, column] == expected
    assert found.gain == pytest.approx(found.whole - found.pruned.sum() / 4)
    assert found.retrained_gain == pytest.approx(found.retrained_whole - found.retrained.sum() / 4)


@BOTH
def test_sparsity_0_changes_nothing_before_or_after_training(architecture: Architecture) -> None:
    found = pruned(architecture, nets.model(architecture), options(0.0))
    assert (found.pruned == found.whole).all()
    assert found.retrained == pytest.approx(found.retrained_whole, abs=1.01 / 211)
    assert found.gain == 0


def test_the_whole_model_is_trained_further_as_ordinarily() -> None:
    weights = nets.model(nets.MLP)
    module = load_weights(build(nets.MLP, nets.TASK.shape, 3), weights)
    names = (*NAMES, "retrain")
    (last,) = train(module, nets.TASK, HOW, names, start(module), (EPOCHS,))
    expected = error(nets.MLP, last.weights.parameters)
    found = pruned(nets.MLP, weights, options(0.5))
    assert found.retrained_whole == pytest.approx(expected, abs=1.01 / 211)


@BOTH
def test_just_that_share_of_zeros_is_left_after_training(
    architecture: Architecture, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[Checkpoint] = []

    def spy(*given: Any) -> list[Checkpoint]:
        trained.extend(train_held(*given))
        return trained

    monkeypatch.setattr("phasezoo.transfer.pruning.train_held", spy)
    weights, how = nets.model(architecture), options(0.4, 0.9)
    pruned(architecture, weights, how)
    net = nets.network(architecture).module
    ways = [(s, scope) for scope in how.scopes for s in how.sparsities]
    assert len(trained) == 1 + len(ways)
    for (sparsity, scope), last in zip(ways, trained[1:], strict=True):
        stays = kept(net, weights.parameters, sparsity, scope)
        assert torch.equal(last.weights.parameters != 0, stays)


def test_removing_nearly_all_loses_and_training_brings_some_back() -> None:
    weights = nets.model(nets.MLP, epochs=20)
    found = pruned(nets.MLP, weights, options(0.95))
    assert found.gain < -0.1
    assert found.retrained.mean() < found.pruned.mean()


@BOTH
def test_permuting_units_changes_no_error(architecture: Architecture) -> None:
    weights, how = nets.model(architecture), options(0.3, 0.8)
    moved = nets.permuted(nets.network(architecture), weights)
    one, other = (pruned(architecture, w, how) for w in (weights, moved))
    assert other.whole == pytest.approx(one.whole, abs=1.01 / 211)  # rounding
    assert other.pruned == pytest.approx(one.pruned, abs=1.01 / 211)
    assert other.retrained == pytest.approx(one.retrained, abs=3.01 / 211)


@BOTH
def test_many_models_are_each_by_itself(architecture: Architecture) -> None:
    models = [(nets.model(architecture, s), ("zoo", f"seed={s}")) for s in range(3)]
    net, how = nets.network(architecture), options(0.7)
    found = pruning(net, models, nets.TASK, how)
    (alone,) = pruning(net, models[2:], nets.TASK, how)
    assert found[2].pruned == pytest.approx(alone.pruned)
    assert found[2].retrained == pytest.approx(alone.retrained, abs=1.01 / 211)
    assert pruning(net, [], nets.TASK, how) == []


def test_a_training_that_diverges_has_no_error_and_leaves_the_others() -> None:
    found = pruned(nets.MLP, nets.model(nets.MLP), options(0.5, learning_rate=1e25))
    assert math.isnan(found.retrained_whole)
    assert math.isnan(found.retrained_gain)
    assert 0 <= found.whole <= 1
    assert math.isfinite(found.gain)


def test_the_network_is_left_as_it_was() -> None:
    net, weights = nets.network(nets.RESNET), nets.model(nets.RESNET)
    before = [p.detach().clone() for p in net.module.parameters()]
    kept_weights = weights.parameters.clone(), weights.buffers.clone()
    pruning(net, [(weights, NAMES)], nets.TASK, options(0.5))
    assert all(torch.equal(a, b) for a, b in zip(before, net.module.parameters(), strict=True))
    assert torch.equal(weights.parameters, kept_weights[0])
    assert torch.equal(weights.buffers, kept_weights[1])

"""A probe trains the head on the features of the body, and nothing else."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

import oracles
from phasezoo.models.build import build
from phasezoo.models.flat import Weights, load_weights
from phasezoo.spec.architecture import Architecture
from phasezoo.spec.training import Constant
from phasezoo.spec.transfer import NewTask
from phasezoo.training.evaluate import evaluate
from phasezoo.training.train import start, train
from phasezoo.transfer.fine_tune import origins
from phasezoo.transfer.probe import head_of, probe
from transfer import nets

BOTH = pytest.mark.parametrize("architecture", [nets.MLP, nets.RESNET], ids=["mlp", "resnet"])
NAMES = ("zoo", "seed=0")
SECOND = replace(
    oracles.blobs(train=61, test=199, shape=(1, 5, 5), classes=5, seed=3), name="second"
)


def options(learning_rate: float = 0.05) -> NewTask:
    optimiser = oracles.sgd(learning_rate=learning_rate)
    how = oracles.optimisation(Constant(name="constant"), batch_size=13, optimiser=optimiser)
    return NewTask(
        epochs=(3,), dataset="second", head="fresh", fine_tune_epochs=4, optimisation=how
    )


def probed(architecture: Architecture, weights: Weights, how: NewTask) -> float:
    (found,) = probe(architecture, [(weights, NAMES)], 3, SECOND, how, nets.CPU)
    return found


def features(module: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    """What goes into the head."""
    seen: list[torch.Tensor] = []
    hook = module.head.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach()))
    with torch.no_grad():
        module.eval()(inputs)
    hook.remove()
    return seen[0]


@BOTH
def test_it_is_a_linear_model_of_the_features_of_the_body(architecture: Architecture) -> None:
    weights, how = nets.model(architecture), options()
    names = (*NAMES, "transfer", "second")
    origin, _ = origins(architecture, weights, 3, SECOND, how, names)
    module = load_weights(build(architecture, SECOND.shape, 5), origin.weights)
    parts = [features(module, x) for x in (SECOND.train_inputs, SECOND.test_inputs)]
    of_features = replace(SECOND, train_inputs=parts[0], test_inputs=parts[1])
    head = module.head
    list(train(head, of_features, how.optimisation, names, start(head), (4,)))
    expected = evaluate(head, parts[1], SECOND.test_labels).error
    assert probed(architecture, weights, how) == pytest.approx(expected, abs=1.01 / 199)


@BOTH
def test_the_old_head_and_other_models_do_not_matter(architecture: Architecture) -> None:
    weights, how = nets.model(architecture), options()
    free = head_of(build(architecture, nets.TASK.shape, 3))
    other = Weights(torch.where(free, 3.0, weights.parameters), weights.buffers)
    assert probed(architecture, other, how) == probed(architecture, weights, how)
    more = [(nets.model(architecture, s), ("zoo", f"seed={s}")) for s in range(7)]
    together = probe(architecture, more, 3, SECOND, how, nets.CPU)
    assert together[0] == pytest.approx(probed(architecture, weights, how), abs=1.01 / 199)


def test_the_head_is_that_of_the_layer_of_the_name() -> None:
    module = build(nets.MLP, nets.TASK.shape, 3)
    assert head_of(module).sum() == 3 * 7 + 3
    assert head_of(module)[-24:].all()


def test_a_probe_that_diverges_has_no_error_and_nobody_has_none() -> None:
    assert math.isnan(probed(nets.MLP, nets.model(nets.MLP), options(1e30)))
    assert probe(nets.MLP, [], 3, SECOND, options(), nets.CPU) == []

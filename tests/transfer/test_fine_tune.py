"""Fine-tuning and scratch differ in where they start, and in nothing else."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

import oracles
from phasezoo import rng
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import Weights, load_weights, parameter_layout, weights_of
from phasezoo.spec.architecture import Architecture, Mlp, SmallResNet
from phasezoo.spec.metrics import Transfer
from phasezoo.spec.training import Constant
from phasezoo.training.evaluate import evaluate
from phasezoo.training.train import start, train
from phasezoo.transfer.fine_tune import Gain, transfer

CPU = torch.device("cpu")
NAMES = ("zoo", "width=7", "batch_size=13", "seed=0")
TASK = replace(oracles.blobs(train=53, test=211, shape=(1, 5, 5), classes=3), name="second")
FIRST = replace(oracles.blobs(train=53, test=61, shape=(1, 5, 5), classes=3, seed=1), name="first")
MLP = Mlp(name="mlp", hidden_layers=2, width=7)
RESNET = SmallResNet(name="small-resnet", stages=2, width=3)
BOTH = pytest.mark.parametrize("architecture", [MLP, RESNET], ids=["mlp", "resnet"])


def options(head: str = "kept", learning_rate: float = 0.05, epochs: int = 2) -> Transfer:
    optimiser = oracles.sgd(learning_rate=learning_rate, weight_decay=0.0)
    how = oracles.optimisation(Constant(name="constant"), batch_size=17, optimiser=optimiser)
    return Transfer(
        epochs=(3,), dataset="second", head=head, fine_tune_epochs=epochs, optimisation=how
    )


def tuned(
    architecture: Architecture, weights: Weights, how: Transfer, first_classes: int = 3
) -> Gain:
    (found,) = transfer(architecture, [(weights, NAMES)], first_classes, TASK, how, CPU)
    return found


def scratch(architecture: Architecture) -> Weights:
    """The weights from which the comparison starts."""
    module = build(architecture, TASK.shape, TASK.classes)
    initialise(module, rng.generator(*NAMES, "transfer", "second", "init"))
    return weights_of(module)


def trained(architecture: Architecture, classes: int = 3) -> Weights:
    """A model of the first task."""
    task = replace(FIRST, classes=classes)
    module = build(architecture, task.shape, classes)
    initialise(module, rng.generator("first", "init"))
    how = oracles.optimisation(oracles.onecycle(7))
    (last,) = train(module, task, how, ("first",), start(module), (7,))
    return last.weights


def error_of(architecture: Architecture, weights: Weights, how: Transfer | None) -> float:
    """Test error on the second task, after training on it if `how` says so."""
    module = load_weights(build(architecture, TASK.shape, TASK.classes), weights)
    if how:
        names = (*NAMES, "transfer", "second")
        epochs = (how.fine_tune_epochs,)
        list(train(module, TASK, how.optimisation, names, start(module), epochs))
    return evaluate(module, TASK.test_inputs, TASK.test_labels).error


def with_head_of(architecture: Architecture, body: Weights, head: Weights) -> Weights:
    layout = parameter_layout(build(architecture, TASK.shape, TASK.classes))
    parts, other = layout.unflatten(body.parameters), layout.unflatten(head.parameters)
    merged = {n: other[n] if n.startswith("head.") else t for n, t in parts.items()}
    return Weights(layout.flatten(merged), body.buffers)


@BOTH
@pytest.mark.parametrize("head", ["kept", "fresh"])
def test_fine_tuning_from_the_scratch_weights_gains_nothing(
    architecture: Architecture, head: str
) -> None:
    found = tuned(architecture, scratch(architecture), options(head))
    assert found.fine_tuned_error == found.scratch_error
    assert found.gain == 0


@BOTH
def test_both_errors_are_those_of_plain_training(architecture: Architecture) -> None:
    weights, how = trained(architecture), options("kept")
    found = tuned(architecture, weights, how)
    assert found.fine_tuned_error == error_of(architecture, weights, how)
    assert found.scratch_error == error_of(architecture, scratch(architecture), how)
    assert found.gain == found.scratch_error - found.fine_tuned_error


@BOTH
def test_a_fresh_head_is_that_of_the_scratch_model(architecture: Architecture) -> None:
    weights, how = trained(architecture), options("fresh")
    start_from = with_head_of(architecture, weights, scratch(architecture))
    found = tuned(architecture, weights, how)
    assert found.fine_tuned_error == error_of(architecture, start_from, how)


def test_the_body_is_copied_and_a_kept_head_with_it() -> None:
    """With a learning rate of next to nothing the models stay where they start."""
    weights, still = trained(MLP), 1e-30
    kept, fresh = (tuned(MLP, weights, options(head, still)) for head in ("kept", "fresh"))
    assert kept.fine_tuned_error == error_of(MLP, weights, None)
    start_from = with_head_of(MLP, weights, scratch(MLP))
    assert fresh.fine_tuned_error == error_of(MLP, start_from, None)
    assert kept.scratch_error == fresh.scratch_error == error_of(MLP, scratch(MLP), None)
    assert len({kept.fine_tuned_error, fresh.fine_tuned_error, kept.scratch_error}) == 3


@BOTH
def test_with_a_fresh_head_the_old_one_does_not_matter(architecture: Architecture) -> None:
    weights = trained(architecture)
    other = with_head_of(
        architecture, weights, Weights(weights.parameters * -3 + 1, weights.buffers)
    )
    found, changed = (tuned(architecture, w, options("fresh")) for w in (weights, other))
    assert found == changed
    kept, kept_changed = (tuned(architecture, w, options("kept", 1e-30)) for w in (weights, other))
    assert kept.fine_tuned_error != kept_changed.fine_tuned_error


@BOTH
def test_the_scratch_run_does_not_depend_on_the_model(architecture: Architecture) -> None:
    one, other = trained(architecture), scratch(architecture)
    assert len({tuned(architecture, w, options()).scratch_error for w in (one, other)}) == 1


def test_another_number_of_classes_needs_a_fresh_head() -> None:
    weights = trained(MLP, classes=5)
    with pytest.raises(ValueError, match="got kept with 5 and 3 classes, allowed is fresh"):
        tuned(MLP, weights, options("kept"), first_classes=5)
    found = tuned(MLP, weights, options("fresh"), first_classes=5)
    assert 0 <= found.fine_tuned_error <= 1


def test_a_task_learnt_before_helps_on_itself() -> None:
    weights = trained(MLP)
    how = options("kept", 1e-3, epochs=1)  # too little to learn it from nothing
    (found,) = transfer(MLP, [(weights, NAMES)], 3, FIRST, how, CPU)
    assert found.gain > 0.2


@BOTH
def test_a_training_that_diverges_has_no_error(architecture: Architecture) -> None:
    found = tuned(architecture, trained(architecture), options("kept", 1e25))
    assert math.isnan(found.fine_tuned_error)
    assert math.isnan(found.scratch_error)
    assert math.isnan(found.gain)


def test_one_diverged_run_leaves_the_other() -> None:
    weights = trained(MLP)
    far = Weights(weights.parameters * 1e25, weights.buffers)  # its outputs overflow
    found = tuned(MLP, far, options("kept"))
    assert math.isnan(found.fine_tuned_error)
    assert found.scratch_error == error_of(MLP, scratch(MLP), options("kept"))


def test_the_weights_given_are_left_alone_and_two_calls_agree() -> None:
    weights = trained(RESNET)
    before = weights.parameters.clone(), weights.buffers.clone()
    assert tuned(RESNET, weights, options()) == tuned(RESNET, weights, options())
    assert torch.equal(weights.parameters, before[0])
    assert torch.equal(weights.buffers, before[1])


@BOTH
def test_many_at_once_are_each_by_itself(architecture: Architecture) -> None:
    """Errors are shares of 211 samples, so that rounding hardly shows in them."""
    models = [(trained(architecture), (*NAMES[:-1], f"seed={seed}")) for seed in range(5)]
    models[3] = (Weights(models[3][0].parameters * 1e25, models[3][0].buffers), models[3][1])
    together = transfer(architecture, models, 3, TASK, options("fresh"), CPU)
    for found, model in zip(together, models, strict=True):
        (alone,) = transfer(architecture, [model], 3, TASK, options("fresh"), CPU)
        assert found.scratch_error == pytest.approx(alone.scratch_error, abs=1.5 / 211)
        assert found.fine_tuned_error == pytest.approx(
            alone.fine_tuned_error, abs=1.5 / 211, nan_ok=True
        )
    assert math.isnan(together[3].fine_tuned_error)


def test_no_models_have_no_gains() -> None:
    assert transfer(MLP, [], 3, TASK, options("kept"), CPU) == []

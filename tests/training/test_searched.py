"""Training by L-BFGS: an epoch is an evaluation, and it can be interrupted anywhere."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
import torch
from torch import Tensor, nn

import oracles
from phasezoo import rng
from phasezoo.data.points import points
from phasezoo.data.task import Task, task_from
from phasezoo.models.build import initialise
from phasezoo.models.flat import Weights, load_weights, parameter_layout, weights_of
from phasezoo.models.mlp import MLP
from phasezoo.models.pinn import PINN
from phasezoo.spec.equation import EquationPoints
from phasezoo.spec.training import Constant, Lbfgs, Optimisation
from phasezoo.training.checkpoint import Checkpoint
from phasezoo.training.lbfgs import FlatLbfgs, StackedLbfgs
from phasezoo.training.train import start, train
from phasezoo.vocabulary import Status

BLOBS = oracles.blobs()
NAMES = ("searched",)


def how(at_once: int | None = None, **given: float) -> Optimisation:
    settings = {"learning_rate": 1.0, "history": 5, "tolerance_grad": 0.0, "tolerance_change": 0.0}
    optimiser = Lbfgs(name="lbfgs", **(settings | given))
    schedule = Constant(name="constant")
    return Optimisation(optimiser=optimiser, schedule=schedule, batch_size="full", at_once=at_once)


def convection() -> Task:
    spec = EquationPoints(
        source="convection", recipe=1, coefficient=2.0, interior=31, boundary=7, grid=(11, 13),
        split_seed=0,
    )  # fmt: skip
    return task_from(points(spec), "convection", torch.device("cpu"))


def network(task: Task) -> nn.Module:
    kind = MLP if task is BLOBS else PINN
    module = kind(task.shape, task.classes, 7, 2)
    initialise(module, rng.generator(*NAMES, kind.__name__))
    return module


def trained(
    task: Task, given: Optimisation, epochs: Iterable[int], origin: Checkpoint | None = None
) -> tuple[list[Checkpoint], list[float]]:
    """Checkpoints, and the loss that every epoch reported."""
    module, seen = network(task), []
    if origin:
        load_weights(module, origin.weights)
    first = origin or start(module, given.optimiser.moments)
    found = train(module, task, given, NAMES, first, tuple(epochs), lambda _, x: seen.append(x))
    return list(found), seen


def loss(task: Task, weights: Weights) -> float:
    module = load_weights(network(task), weights)
    outputs = task.objective.outputs(module, task.train_inputs)
    return task.objective.loss(outputs, task.train_labels).item()


@pytest.mark.parametrize("task", [BLOBS, convection()], ids=["classes", "equation"])
@pytest.mark.parametrize("broken_at", [0, 1, 2, 3, 9, 17])
def test_a_training_that_goes_on_from_its_state_is_the_unbroken_one(
    task: Task, broken_at: int
) -> None:
    (early, late), _ = trained(task, how(), (broken_at, 25))
    (last,), _ = trained(task, how(), (25,), origin=early)
    assert torch.equal(last.weights.parameters, late.weights.parameters)
    assert torch.equal(last.state, late.state)
    assert late.state.shape == (2 * 5 + 3, len(late.weights.parameters))


def test_the_loss_never_rises_and_is_that_of_the_weights() -> None:
    task = convection()
    found, seen = trained(task, how(), range(1, 41))
    assert seen == sorted(seen, reverse=True)
    assert seen[-1] < 0.2 * seen[0]
    assert [loss(task, c.weights) for c in found] == pytest.approx(seen, rel=1e-6)


def test_an_epoch_is_one_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    task, calls = convection(), []
    true = type(task.objective).loss
    monkeypatch.setattr(
        type(task.objective), "loss", lambda *given: calls.append(1) or true(*given)
    )
    trained(task, how(), (13,))
    assert len(calls) == 13


@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_parts_of_the_set_add_up_to_it(at_once: int) -> None:
    (whole,), _ = trained(BLOBS, how(), (6,))
    (parts,), _ = trained(BLOBS, how(at_once), (6,))
    torch.testing.assert_close(
        parts.weights.parameters, whole.weights.parameters, rtol=1e-3, atol=1e-4
    )


def test_a_model_that_has_converged_is_evaluated_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    true = FlatLbfgs.evaluate
    monkeypatch.setattr(FlatLbfgs, "evaluate", lambda *given: calls.append(1) or true(*given))
    found, seen = trained(BLOBS, how(tolerance_grad=1e-3), (1, 200, 201))
    assert 10 < len(calls) < 150
    assert torch.equal(found[1].weights.parameters, found[2].weights.parameters)
    assert [c.status for c in found] == [Status.TRAINED] * 3
    assert len(seen) == 201
    resumed, again = trained(BLOBS, how(tolerance_grad=1e-3), (202,), origin=found[-1])
    assert torch.equal(resumed[0].weights.parameters, found[2].weights.parameters)
    assert again == seen[-1:]


def test_a_loss_that_is_not_finite_at_the_start_is_divergence() -> None:
    module = network(BLOBS)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(1e30)
    origin = start(module, how().optimiser.moments)
    found = list(train(module, BLOBS, how(), NAMES, origin, (1, 3)))
    assert [c.status for c in found] == [Status.DIVERGED] * 2
    assert found[0].weights.parameters.isnan().all()


def test_one_model_is_a_stack_of_one() -> None:
    task, given = convection(), how()
    (last,), _ = trained(task, given, (20,))
    module, layout = network(task), parameter_layout(network(task))

    def one(point: Tensor) -> tuple[Tensor, Tensor]:
        values = layout.unflatten(point)
        for name, parameter in module.named_parameters():
            parameter.data = values[name]
        outputs = task.objective.outputs(module, task.train_inputs)
        value = task.objective.loss(outputs, task.train_labels)
        slopes = torch.autograd.grad(value, list(module.parameters()))
        return value, torch.cat([slope.reshape(-1) for slope in slopes])

    def both(trials: Tensor) -> tuple[Tensor, Tensor]:
        values, slopes = zip(*(one(point) for point in trials), strict=True)
        return torch.stack(values), torch.stack(slopes)

    begin = weights_of(network(task)).parameters
    points_of_two = torch.stack([begin, 0.5 * begin])
    state = torch.zeros(2, given.optimiser.moments, len(begin))
    stack = StackedLbfgs(given.optimiser, points_of_two, state)
    for _ in range(20):
        stack.step(both)
    torch.testing.assert_close(stack.points[0], last.weights.parameters, rtol=1e-3, atol=1e-3)

"""Lines and curves run from one model to the other, and their heights have signs."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

import oracles
from phasezoo import rng
from phasezoo.landscape.curve import barrier, bezier, line, mode_connectivity, profile, train_bend
from phasezoo.landscape.network import Network
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import Weights
from phasezoo.spec.architecture import Mlp, SmallResNet
from phasezoo.spec.metrics import Connectivity
from phasezoo.training.evaluate import evaluate_both
from phasezoo.training.train import start, train

CPU = torch.device("cpu")
TASK = oracles.blobs(classes=5)
MLP = Mlp(name="mlp", hidden_layers=1, width=11)
RESNET = SmallResNet(name="small-resnet", stages=1, width=3)
HOW = oracles.optimisation(oracles.onecycle(30))


def options(**changes: float) -> Connectivity:
    numbers = {
        "curve_epochs": 60,
        "batch_size": 11,
        "learning_rate": 0.05,
        "momentum": 0.9,
        "weight_decay": 0.0,
        "points": 11,
    }
    return Connectivity(epochs=(0,), **(numbers | changes))  # type: ignore[arg-type]


def network(architecture: Mlp | SmallResNet = MLP) -> Network:
    return Network(build(architecture, TASK.shape, TASK.classes), CPU)


@cache
def trained(seed: int, architecture: Mlp | SmallResNet = MLP) -> Weights:
    module = build(architecture, TASK.shape, TASK.classes)
    initialise(module, rng.generator("curve", seed))
    return next(train(module, TASK, HOW, ("curve", str(seed)), start(module), (30,))).weights


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.1, 0.5, 0.2], -0.35),  # a barrier
        ([0.4, 0.1, 0.2], 0.2),  # the ends are worse
        ([0.3, 0.3, 0.3], 0.0),
        ([0.2, 0.35, 0.1, 0.4], 0.2),  # mean of ends 0.3: 0.1 deviates most
        ([0.2, 0.35, 0.55, 0.1, 0.4], -0.25),  # mean of ends 0.3: 0.55 deviates most
    ],
)
def test_mode_connectivity_is_the_ends_minus_the_point_that_deviates_most(
    values: list[float], expected: float
) -> None:
    assert mode_connectivity(np.array(values)) == pytest.approx(expected, abs=1e-15)


def test_ends_that_differ_more_than_the_curve_give_the_sign_of_the_first() -> None:
    assert mode_connectivity(np.array([0.0, 0.5, 1.0])) == 0.5
    assert mode_connectivity(np.array([1.0, 0.5, 0.0])) == -0.5


def test_a_curve_that_deviates_more_than_its_ends_has_no_direction() -> None:
    values = np.array([0.1, 0.7, 0.3, 0.2])
    assert mode_connectivity(values) == mode_connectivity(values[::-1])


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_curve_with_a_hole_has_no_connectivity(bad: float, at: int) -> None:
    values = np.array([0.1, 0.2, 0.3])
    values[at] = bad
    assert math.isnan(mode_connectivity(values))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.1, 0.5, 0.2], 0.35),
        ([0.4, 0.1, 0.2], 0.1),
        ([0.3, 0.3, 0.3], 0.0),
        ([0.2, 0.0, 0.2], 0.0),
    ],
)
def test_a_barrier_is_the_highest_point_above_the_mean_of_the_ends(
    values: list[float], expected: float
) -> None:
    assert barrier(np.array(values)) == pytest.approx(expected, abs=1e-15)


def test_a_barrier_is_never_negative() -> None:
    random = np.random.default_rng(0)
    assert all(barrier(random.standard_normal(7)) >= 0 for _ in range(211))


def test_a_path_starts_and_ends_exactly_at_its_ends() -> None:
    first, bend, second = (oracles.vector(101, seed).float() for seed in range(3))
    for path in (line(first, second), bezier(first, bend, second)):
        assert torch.equal(path(0.0), first)
        assert torch.equal(path(1.0), second)


def test_paths_are_their_formulas() -> None:
    first, bend, second = (oracles.vector(101, seed) for seed in range(3))
    for t in (0.25, 0.3, 0.9):
        torch.testing.assert_close(line(first, second)(t), (1 - t) * first + t * second)
        inner, outer = line(first, bend)(t), line(bend, second)(t)
        torch.testing.assert_close(
            bezier(first, bend, second)(t), line(inner, outer)(t)
        )  # de Casteljau


def test_a_bezier_curve_with_its_bend_in_the_middle_is_the_line() -> None:
    first, second = oracles.vector(101, 0), oracles.vector(101, 1)
    curve = bezier(first, (first + second) / 2, second)
    torch.testing.assert_close(curve(0.3), line(first, second)(0.3))


def test_a_model_and_itself_have_no_barrier() -> None:
    weights = trained(0)
    found = profile(network(), TASK, line(weights.parameters, weights.parameters), 5)
    for values in vars(found).values():
        assert barrier(values) == 0
        assert mode_connectivity(values) == 0


@pytest.mark.parametrize("architecture", [MLP, RESNET], ids=lambda a: a.name)
def test_a_profile_holds_the_scores_of_its_points(architecture: Mlp | SmallResNet) -> None:
    first, second = trained(0, architecture), trained(1, architecture)
    net, path = network(architecture), line(first.parameters, second.parameters)
    found = profile(net, TASK, path, 5)
    middle = (first.parameters + second.parameters) / 2
    for place, point in ((0, first.parameters), (2, middle), (4, second.parameters)):
        weights = net.with_statistics(point, TASK.train_inputs)
        train_score, test_score = evaluate_both(net.function(weights), TASK)
        # the middle is rounded in another order
        assert found.train_loss[place] == pytest.approx(train_score.loss, rel=1e-4)
        assert found.train_error[place] == pytest.approx(train_score.error)
        assert found.test_loss[place] == pytest.approx(test_score.loss, rel=1e-4)
        assert found.test_error[place] == pytest.approx(test_score.error)
    assert all(len(values) == 5 for values in vars(found).values())


def test_one_step_of_the_bend_is_the_gradient_of_its_formula() -> None:
    net = network()
    first, second = trained(0).parameters.double(), trained(1).parameters.double()
    net.module.double()
    task = oracles.Task(
        "wide", TASK.train_inputs.double(), TASK.train_labels,
        TASK.test_inputs.double(), TASK.test_labels, TASK.classes,
    )  # fmt: skip
    how = options(curve_epochs=1, batch_size=53, learning_rate=0.3, momentum=0.0, weight_decay=0.7)
    found = train_bend(net, task, (first, second), how, rng.generator("bend"))

    chance = rng.generator("bend")
    torch.randperm(53, generator=chance)
    t = torch.rand((), generator=chance).item()
    middle = (first + second) / 2
    theta = ((1 - t) ** 2 * first + 2 * t * (1 - t) * middle + t**2 * second).requires_grad_()
    loss = functional.cross_entropy(
        net.apply(theta, torch.empty(0).double(), task.train_inputs), task.train_labels
    )
    (gradient,) = torch.autograd.grad(loss, theta)
    expected = middle - 0.3 * 2 * t * (1 - t) * (gradient + 0.7 * theta.detach())
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-11)


def highest(net: Network, bend: Tensor, ends: tuple[Weights, Weights]) -> float:
    curve = bezier(ends[0].parameters, bend, ends[1].parameters)
    return float(profile(net, TASK, curve, 21).train_loss.max())


@pytest.mark.parametrize("architecture", [MLP, RESNET], ids=lambda a: a.name)
def test_a_trained_bend_goes_around_the_barrier_of_the_line(
    architecture: Mlp | SmallResNet,
) -> None:
    ends = trained(0, architecture), trained(1, architecture)
    net, (first, second) = network(architecture), (ends[0].parameters, ends[1].parameters)
    bend = train_bend(net, TASK, (first, second), options(), rng.generator("bend"))
    on_the_line = highest(net, (first + second) / 2, ends)
    assert barrier(profile(net, TASK, line(first, second), 21).train_loss) > 0.1
    assert highest(net, bend, ends) < 0.5 * on_the_line


def test_the_bend_is_that_of_its_generator_and_leaves_the_ends_alone() -> None:
    net, ends = network(), (trained(0).parameters, trained(1).parameters)
    before = [end.clone() for end in ends]
    how = options(curve_epochs=2)
    first = train_bend(net, TASK, ends, how, rng.generator("bend"))
    assert torch.equal(first, train_bend(net, TASK, ends, how, rng.generator("bend")))
    assert not torch.equal(first, train_bend(net, TASK, ends, how, rng.generator("other")))
    assert all(torch.equal(a, b) for a, b in zip(ends, before, strict=True))
    assert not first.requires_grad

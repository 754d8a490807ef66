"""Two networks without error that no permutation connects, and trained ones that it does."""

from __future__ import annotations

import math

import pytest
import torch

import oracles
from merging import nets
from phasezoo import rng
from phasezoo.data.labelled import labelled
from phasezoo.data.task import task_from
from phasezoo.landscape.curve import Profile, barrier, line, profile
from phasezoo.merging.counter_example import ARCHITECTURE, counter_example
from phasezoo.merging.exhaustive import every_permutation, exhaustive
from phasezoo.merging.permutation import permutation_spec, permute
from phasezoo.merging.weight_matching import weight_matching
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import Weights
from phasezoo.spec.architecture import Mlp
from phasezoo.spec.plane import Quadrant
from phasezoo.training.evaluate import evaluate_both
from phasezoo.training.train import start, train

DATA = labelled(Quadrant(source="quadrant", recipe=1, train=1009, test=503, split_seed=0))
TASK = task_from(DATA, "quadrant", nets.CPU)
MARGIN, HEIGHT = 0.01, 15.0


def network(architecture: Mlp) -> nets.Network:
    return nets.Network(build(architecture, TASK.shape, TASK.classes), nets.CPU)


def along(net: nets.Network, first: Weights, second: Weights) -> Profile:
    return profile(net, TASK, line(first.parameters, second.parameters), 11)


def test_both_compute_the_step_of_the_smaller_coordinate() -> None:
    """In float64, on a grid that has points within the margin and on the axes."""
    x = torch.linspace(-1, 1, 401).double()
    points = torch.cartesian_prod(x, x)
    smaller = torch.minimum(-points[:, 0], points[:, 1])
    step = (smaller / (2 * MARGIN) + 0.5).clamp(0, 1)
    for weights in counter_example(MARGIN, HEIGHT):
        wide = nets.Network(build(ARCHITECTURE, (2,), 2).double(), nets.CPU)
        logits = wide.apply(weights.parameters.double(), torch.empty(0), points)
        torch.testing.assert_close(logits[:, 1], HEIGHT * (step - 0.5), rtol=0, atol=1e-4)
        torch.testing.assert_close(logits[:, 0], -logits[:, 1], rtol=0, atol=1e-4)


def test_neither_errs_and_the_loss_outside_the_margin_is_that_of_the_height() -> None:
    smaller = torch.minimum(-TASK.train_inputs[:, 0], TASK.train_inputs[:, 1])
    for weights in counter_example(MARGIN, HEIGHT):
        function = network(ARCHITECTURE).function(weights)
        assert [score.error for score in evaluate_both(function, TASK)] == [0, 0]
        losses = TASK.objective.losses(function(TASK.train_inputs).double(), TASK.train_labels)
        bound = math.log1p(math.exp(-HEIGHT))
        assert losses[smaller.abs() > MARGIN].max().item() == pytest.approx(bound, rel=1e-2)
        assert losses.max().item() <= math.log(2)


def test_no_permutation_connects_them() -> None:
    """Under each a quarter of the plane is lost at some point of the line, not by a hair."""
    net, (first, second) = network(ARCHITECTURE), counter_example(MARGIN, HEIGHT)
    spec = permutation_spec(net.module)
    tried = every_permutation(spec, net.parameters)
    assert len(tried) == 4
    for by in tried:
        path = along(net, first, permute(net, spec, second, by))
        assert barrier(path.train_error) > 0.2
        assert barrier(path.train_loss) > 1
    found = exhaustive(net, spec, [first, second], rng.generator("x"), task=TASK)
    assert found.objective[-1] < -1


def trained(architecture: Mlp, seed: int) -> Weights:
    module = build(architecture, TASK.shape, TASK.classes)
    initialise(module, rng.generator("init", seed))
    how = oracles.optimisation(oracles.onecycle(15), batch_size=32)
    (last,) = train(module, TASK, how, ("quadrant", str(seed)), start(module), (15,))
    return last.weights


def test_trained_networks_are_connected_once_they_are_aligned() -> None:
    wide = Mlp(name="mlp", hidden_layers=2, width=64)
    net = network(wide)
    spec = permutation_spec(net.module)
    first, second = trained(wide, 0), trained(wide, 1)
    found = weight_matching(net, spec, [first, second], rng.generator("x"), sweeps=50)
    naive = along(net, first, second)
    aligned = along(net, *found.applied(net, spec, [first, second]))
    assert naive.train_error[[0, -1]].max() < 0.02
    assert barrier(aligned.train_error) < 0.01
    assert barrier(aligned.train_loss) < 0.2 * barrier(naive.train_loss)

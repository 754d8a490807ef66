"""Merging a model with itself is free; merging others costs what plain torch says."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.optim.swa_utils import update_bn

import oracles
from merging import nets
from phasezoo import rng
from phasezoo.merging.alignment import Alignment
from phasezoo.merging.merge import average_error, merge_pair, single_error
from phasezoo.merging.permutation import permutation_spec, permute
from phasezoo.merging.weight_matching import weight_matching
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import Weights, load_weights
from phasezoo.spec.architecture import Architecture
from phasezoo.training.train import start, train

TASK = oracles.blobs(train=101, test=53, shape=(2, 5, 5), classes=5)
WIDE, RESIDUAL = nets.mlp(2, 23), nets.resnet(2, 3)
BOTH = pytest.mark.parametrize("architecture", [WIDE, RESIDUAL], ids=["mlp", "resnet"])


@functools.cache
def trained(architecture: Architecture, seed: int) -> Weights:
    module = build(architecture, TASK.shape, TASK.classes)
    initialise(module, rng.generator("init", seed))
    how = oracles.optimisation(oracles.onecycle(5))
    (last,) = train(module, TASK, how, ("merge", str(seed)), start(module), (5,))
    return last.weights


def network(architecture: Architecture) -> nets.Network:
    return nets.Network(build(architecture, TASK.shape, TASK.classes), nets.CPU)


def plain_scores(
    architecture: Architecture, parameters: torch.Tensor
) -> tuple[float, float, float]:
    """Training loss, training error and test error, with statistics as torch re-estimates them."""
    module = build(architecture, TASK.shape, TASK.classes)
    size = network(architecture).buffers.size
    load_weights(module, Weights(parameters, torch.zeros(size)))
    update_bn([TASK.train_inputs], module)
    module.eval()
    with torch.no_grad():
        train_logits, test_logits = module(TASK.train_inputs), module(TASK.test_inputs)
    loss = functional.cross_entropy(train_logits, TASK.train_labels).item()
    train_error = (train_logits.argmax(1) != TASK.train_labels).float().mean().item()
    return loss, train_error, (test_logits.argmax(1) != TASK.test_labels).float().mean().item()


def align(net: nets.Network, one: Weights, other: Weights) -> tuple[Weights, Alignment]:
    spec, pair = permutation_spec(net.module), (one, other)
    found = weight_matching(net, spec, pair, rng.generator("align"), sweeps=50)
    return found.applied(net, spec, pair)[1], found


ROUNDING = 1e-7  # equal vectors of a stack may be rounded differently, by where they lie in it


@BOTH
def test_a_merge_is_what_plain_torch_measures_on_the_line(architecture: Architecture) -> None:
    ends = (trained(architecture, 0), trained(architecture, 1))
    found = merge_pair(network(architecture), TASK, ends, points=5)
    first, second = (end.parameters for end in ends)
    steps = (0, 0.25, 0.5, 0.75, 1)
    scores = np.array([plain_scores(architecture, (1 - t) * first + t * second) for t in steps])
    over_ends = scores.max(axis=0) - scores[[0, -1]].mean(axis=0)
    # float32 against float32, summed in another order
    assert found.loss_barrier == pytest.approx(over_ends[0], rel=1e-4)
    assert found.error_barrier == pytest.approx(over_ends[1], abs=1e-6)
    assert found.midpoint_error == pytest.approx(scores[2, 2], abs=1e-6)
    assert found.ends_error == pytest.approx(scores[[0, -1], 2].mean(), abs=1e-6)
    assert found.loss_barrier > 0.01  # there is something to measure


@BOTH
def test_a_model_and_itself_have_no_barrier(architecture: Architecture) -> None:
    one = trained(architecture, 0)
    found = merge_pair(network(architecture), TASK, (one, one), points=7)
    assert found.loss_barrier <= ROUNDING
    assert found.error_barrier == 0
    assert found.midpoint_error == found.ends_error


def test_the_ends_of_a_perceptron_are_the_models_themselves() -> None:
    ends = (trained(WIDE, 0), trained(WIDE, 1))
    found = merge_pair(network(WIDE), TASK, ends, points=3)
    alone = [single_error(network(WIDE), TASK, end) for end in ends]
    assert found.ends_error == pytest.approx(sum(alone) / 2, abs=1e-12)


@BOTH
def test_alignment_takes_a_hidden_permutation_away(architecture: Architecture) -> None:
    net, one = network(architecture), trained(architecture, 0)
    spec = permutation_spec(net.module)
    other = permute(net, spec, one, nets.random_permutations(net, spec, 0))
    naive = merge_pair(net, TASK, (one, other), points=5)
    moved, matching = align(net, one, other)
    assert torch.equal(moved.parameters, one.parameters)
    assert torch.equal(moved.buffers, one.buffers)
    assert matching.converged
    aligned = merge_pair(net, TASK, (one, moved), points=5)
    assert aligned.loss_barrier <= ROUNDING
    assert aligned.error_barrier == 0
    assert naive.loss_barrier > 0.01


@BOTH
def test_alignment_does_not_change_the_moved_model(architecture: Architecture) -> None:
    net, one, other = network(architecture), trained(architecture, 0), trained(architecture, 1)
    moved, matching = align(net, one, other)
    assert matching.gain > 0
    assert not torch.equal(moved.parameters, other.parameters)
    before, after = (net.function(model)(TASK.test_inputs) for model in (other, moved))
    # float32 sums in another order, relative to the largest output
    torch.testing.assert_close(after, before, rtol=0, atol=1e-5 * before.abs().max().item())
    closer = (one.parameters - moved.parameters).norm()
    assert closer < (one.parameters - other.parameters).norm()


def test_alignment_lowers_the_barrier_between_wide_perceptrons() -> None:
    net = network(WIDE)
    for pair in ((0, 1), (2, 3), (4, 5)):
        one, other = (trained(WIDE, seed) for seed in pair)
        moved, _ = align(net, one, other)
        naive = merge_pair(net, TASK, (one, other), points=5)
        aligned = merge_pair(net, TASK, (one, moved), points=5)
        assert aligned.loss_barrier < naive.loss_barrier


@pytest.mark.parametrize("copies", [1, 2, 4])  # whose mean is exact
def test_the_average_of_one_model_is_that_model(copies: int) -> None:
    net, one = network(WIDE), trained(WIDE, 0)
    assert average_error(net, TASK, [one] * copies) == single_error(net, TASK, one)


@BOTH
def test_an_average_is_the_mean_of_parameters_with_fresh_statistics(
    architecture: Architecture,
) -> None:
    models = [trained(architecture, seed) for seed in range(3)]
    expected = plain_scores(architecture, sum(m.parameters for m in models) / 3)[2]
    found = average_error(network(architecture), TASK, models)
    assert found == pytest.approx(expected, abs=1e-6)
    assert found == average_error(network(architecture), TASK, models[::-1])


def test_a_single_error_keeps_the_statistics_of_training() -> None:
    one = trained(RESIDUAL, 0)
    module = load_weights(build(RESIDUAL, TASK.shape, TASK.classes), one)
    with torch.no_grad():
        wrong = (module(TASK.test_inputs).argmax(1) != TASK.test_labels).float().mean().item()
    assert single_error(network(RESIDUAL), TASK, one) == pytest.approx(wrong, abs=1e-6)


@BOTH
def test_what_is_not_finite_has_no_error(architecture: Architecture) -> None:
    net, one = network(architecture), trained(architecture, 0)
    lost = Weights(torch.full_like(one.parameters, torch.nan), one.buffers)
    assert math.isnan(average_error(net, TASK, [one, lost]))
    assert math.isnan(single_error(net, TASK, lost))

"""Lines and curves run from one model to the other, and their heights have signs."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import oracles
from landscape.pairs import MLP, RESNET, TASK, network, trained
from phasezoo.landscape.curve import (
    barrier,
    bezier,
    line,
    mode_connectivity,
    most_deviating,
    profile,
)
from phasezoo.spec.architecture import Mlp, SmallResNet
from phasezoo.training.evaluate import evaluate_both


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


def test_rounding_does_not_choose_between_the_ends() -> None:
    values = np.array([0.1, 0.15, 0.2])
    middle = (values[0] + values[2]) / 2
    assert middle - values[0] != values[2] - middle  # equal but for rounding
    assert most_deviating(values) == most_deviating(values[::-1]) == 0


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


def test_places_may_be_a_column_of_many_paths() -> None:
    first, bend, second = (oracles.vector(3 * 7, seed).reshape(3, 7) for seed in range(3))
    t = torch.tensor([[0.2], [0.5], [1.0]], dtype=torch.float64)
    for row in range(3):
        one = t[row].item()
        torch.testing.assert_close(line(first, second)(t)[row], line(first[row], second[row])(one))
        torch.testing.assert_close(
            bezier(first, bend, second)(t)[row], bezier(first[row], bend[row], second[row])(one)
        )


def test_a_bezier_curve_with_its_bend_in_the_middle_is_the_line() -> None:
    first, second = oracles.vector(101, 0), oracles.vector(101, 1)
    curve = bezier(first, (first + second) / 2, second)
    torch.testing.assert_close(curve(0.3), line(first, second)(0.3))


def test_a_model_and_itself_have_no_barrier() -> None:
    weights = trained(0)
    found = profile(network(), TASK, line(weights.parameters, weights.parameters), 5)
    for values in vars(found).values():
        # equal vectors of a stack may be rounded differently, by where they lie in it
        rounding = 1e-6 * values.max()
        assert barrier(values) <= rounding
        assert abs(mode_connectivity(values)) <= rounding


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

"""Pairs are connected together, each as it would be alone, and an end that diverged is no harm."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from landscape.pairs import MLP, RESNET, TASK, network, options, trained
from phasezoo import rng
from phasezoo.data.task import Task
from phasezoo.landscape import connectivity
from phasezoo.landscape.bends import train_bends
from phasezoo.landscape.connection import Connection
from phasezoo.landscape.connectivity import children, connect
from phasezoo.landscape.curve import barrier, bezier, line, mode_connectivity, profile
from phasezoo.landscape.network import Network
from phasezoo.models.flat import Weights
from phasezoo.spec.architecture import Mlp, SmallResNet
from phasezoo.store.schema import family_variables

PAIRS = [(0, 1), (0, 2), (1, 2)]


def connected(
    pairs: list[tuple[int, int]], architecture: Mlp | SmallResNet = MLP, **changes: object
) -> list[Connection]:
    ends = [(trained(a, architecture), trained(b, architecture)) for a, b in pairs]
    chances = [rng.generator("pair", *pair) for pair in pairs]
    how = options(**{"curve_epochs": 10, "points": 7, **changes})
    return connect(network(architecture), TASK, ends, how, chances)


def nothing_in(found: Connection) -> bool:
    return all(np.isnan(value).all() for value in found.row().values())


@pytest.mark.parametrize("architecture", [MLP, RESNET], ids=lambda a: a.name)
def test_the_numbers_of_a_pair_are_those_of_its_curve_and_its_line(
    architecture: Mlp | SmallResNet,
) -> None:
    found = connected([(0, 1)], architecture)[0]
    net = network(architecture)
    first, second = (trained(seed, architecture).parameters[None] for seed in (0, 1))
    how = options(curve_epochs=10, points=7)
    chance = children(rng.generator("pair", 0, 1), 1)
    bend = train_bends(net, TASK, (first, second), how, chance)
    curve = profile(net, TASK, bezier(first[0], bend[0], second[0]), 7)
    straight = profile(net, TASK, line(first[0], second[0]), 7)
    for name in vars(curve):
        np.testing.assert_allclose(getattr(found.curve, name), getattr(curve, name), rtol=1e-4)
        np.testing.assert_allclose(getattr(found.line, name), getattr(straight, name), rtol=1e-4)
    assert found.mode_connectivity.value == pytest.approx(mode_connectivity(curve.train_error))
    assert found.mode_connectivity_test == pytest.approx(mode_connectivity(curve.test_error))
    assert found.mode_connectivity_loss == pytest.approx(
        mode_connectivity(curve.train_loss), rel=1e-3
    )
    assert found.mode_connectivity_test_loss == pytest.approx(
        mode_connectivity(curve.test_loss), rel=1e-3
    )
    assert found.curve_barrier == pytest.approx(barrier(curve.train_loss), rel=1e-3)
    assert found.curve_barrier_error == pytest.approx(barrier(curve.train_error))
    assert found.linear_barrier == pytest.approx(barrier(straight.train_loss), rel=1e-3)
    assert found.linear_barrier_error == pytest.approx(barrier(straight.train_error))
    assert found.linear_barrier_test == pytest.approx(barrier(straight.test_loss), rel=1e-3)
    assert found.linear_barrier_test_error == pytest.approx(barrier(straight.test_error))
    assert math.isnan(found.mode_connectivity.standard_error)


def test_a_row_has_the_declared_variables_and_no_other() -> None:
    row = connected([(0, 1)], curve_epochs=1)[0].row()
    declared = family_variables("connectivity")
    assert set(row) == set(declared)
    for name, value in row.items():
        assert np.shape(value) == ((7,) if "t" in declared[name].dims else ())


def test_pairs_connected_together_are_as_each_alone() -> None:
    many = [*PAIRS, (1, 0), (2, 0), (2, 1)]  # enough for a stack
    together = connected(many, curve_epochs=2)
    for pair, found in zip(many, together, strict=True):
        alone = connected([pair], curve_epochs=2)[0]
        np.testing.assert_allclose(found.curve.train_loss, alone.curve.train_loss, rtol=1e-3)
        np.testing.assert_allclose(found.line.train_loss, alone.line.train_loss, rtol=1e-4)


def test_swapped_ends_mirror_the_line_and_a_curve_without_training() -> None:
    there, back = connected([(0, 1), (1, 0)], curve_epochs=1, learning_rate=1e-30)
    for name in vars(there.curve):
        for path in ("curve", "line"):
            forward, backward = (getattr(getattr(c, path), name) for c in (there, back))
            np.testing.assert_allclose(forward, backward[::-1], rtol=1e-4, atol=1e-6)
    assert there.mode_connectivity.value == pytest.approx(back.mode_connectivity.value)


def test_a_model_and_itself_have_no_barrier() -> None:
    found = connected([(0, 0)], curve_epochs=1, learning_rate=1e-30, refinements=2)[0]
    assert abs(found.mode_connectivity.value) == 0
    assert found.linear_barrier == pytest.approx(0, abs=1e-6)
    assert found.linear_barrier_error == found.curve_barrier_error == 0
    assert found.mode_connectivity_at == 0


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_an_end_that_diverged_gives_nothing_and_leaves_the_others_as_they_are(bad: float) -> None:
    gone = Weights(torch.full_like(trained(0).parameters, bad), trained(0).buffers)
    ends = [(trained(a), trained(b)) for a, b in PAIRS]
    ends[1] = (trained(0), gone)
    chances = [rng.generator("pair", *pair) for pair in PAIRS]
    found = connect(network(), TASK, ends, options(curve_epochs=10, points=7), chances)
    assert nothing_in(found[1])
    whole = connected(PAIRS)
    for i in (0, 2):
        np.testing.assert_allclose(found[i].curve.train_loss, whole[i].curve.train_loss, rtol=1e-3)


def test_nothing_but_diverged_pairs_is_no_error() -> None:
    gone = Weights(torch.full_like(trained(0).parameters, torch.nan), trained(0).buffers)
    found = connect(network(), TASK, [(gone, trained(0))], options(points=5), [rng.generator("x")])
    assert nothing_in(found[0])
    assert found[0].curve.train_loss.shape == (5,)


def test_a_curve_whose_training_diverged_has_no_numbers_but_its_line_has() -> None:
    found = connected([(0, 1)], learning_rate=1e30)[0]
    assert math.isnan(found.mode_connectivity.value)
    assert math.isnan(found.mode_connectivity_at)
    assert np.isnan(found.curve.train_error[1:-1]).all()
    assert found.linear_barrier > 0


def test_refined_numbers_are_those_of_a_denser_grid_at_least() -> None:
    coarse = connected([(0, 1)], points=5)[0]
    refined = connected([(0, 1)], points=5, refinements=4)[0]
    assert abs(refined.mode_connectivity_loss) >= abs(coarse.mode_connectivity_loss) - 1e-9
    np.testing.assert_allclose(refined.curve.train_loss, coarse.curve.train_loss, rtol=1e-5)
    dense = connected([(0, 1)], points=65)[0]
    assert refined.mode_connectivity_loss == pytest.approx(dense.mode_connectivity_loss, rel=0.02)


def test_repeats_are_averaged_over_independent_curves() -> None:
    found = connected([(0, 1)], repeats=3, curve_epochs=5)[0]
    chances = children(rng.generator("pair", 0, 1), 3)
    net, how = network(), options(curve_epochs=5, points=7)
    ends = tuple(trained(seed).parameters.expand(3, -1) for seed in (0, 1))
    bends = train_bends(net, TASK, (ends[0], ends[1]), how, chances)
    losses = [
        mode_connectivity(profile(net, TASK, bezier(ends[0][0], bend, ends[1][0]), 7).train_loss)
        for bend in bends
    ]
    errors = [
        mode_connectivity(profile(net, TASK, bezier(ends[0][0], bend, ends[1][0]), 7).train_error)
        for bend in bends
    ]
    assert found.mode_connectivity_loss == pytest.approx(np.mean(losses), rel=1e-3)
    assert found.mode_connectivity.standard_error == pytest.approx(
        np.std(errors, ddof=1) / math.sqrt(3), abs=1e-6
    )
    assert len(set(losses)) == 3


def test_the_first_generators_do_not_depend_on_how_many_follow() -> None:
    few, many = (children(rng.generator("pair"), count) for count in (1, 3))
    draws = [torch.rand(5, generator=chance) for chance in (*few, *many)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[1], draws[2])


def test_a_model_of_many_pairs_is_scored_once(monkeypatch: pytest.MonkeyPatch) -> None:
    scored: list[int] = []
    true = connectivity.scores_of

    def counted(net: Network, task: Task, vectors: torch.Tensor) -> object:
        scored.append(len(vectors))
        return true(net, task, vectors)

    monkeypatch.setattr(connectivity, "scores_of", counted)
    connected(PAIRS, curve_epochs=1)
    assert scored == [3, 3 * 5, 3 * 5]


def test_points_are_scored_in_parts_that_fit_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = connected(PAIRS, curve_epochs=1)
    monkeypatch.setattr(connectivity, "POINT_BYTES", 1)
    for parts, at_once in zip(connected(PAIRS, curve_epochs=1), whole, strict=True):
        np.testing.assert_allclose(parts.curve.train_loss, at_once.curve.train_loss, rtol=1e-5)


def test_curves_that_do_not_fit_together_are_trained_in_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    together: list[int] = []
    true = connectivity.train_bends

    def counted(net: Network, task: Task, ends: object, *rest: object) -> object:
        together.append(len(ends[0]))  # type: ignore[index]
        return true(net, task, ends, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(connectivity, "train_bends", counted)
    whole = connected(PAIRS, curve_epochs=1)
    size = 4 * connectivity.COPIES * network(MLP).parameters.size
    for fits in (2, 0):
        monkeypatch.setattr(connectivity, "CURVE_BYTES", fits * size)
        for parts, at_once in zip(connected(PAIRS, curve_epochs=1), whole, strict=True):
            np.testing.assert_allclose(parts.curve.train_loss, at_once.curve.train_loss, rtol=1e-5)
    assert together == [3, 2, 1, 1, 1, 1]

"""Weight matching finds hidden permutations and never does worse than the identity."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import torch

from merging import nets
from phasezoo import rng
from phasezoo.landscape.network import Network
from phasezoo.merging.alignment import Alignment
from phasezoo.merging.permutation import PermutationSpec, permutation_spec, permute
from phasezoo.merging.weight_matching import weight_matching
from phasezoo.models.flat import Weights
from phasezoo.spec.architecture import Architecture

SMALL = nets.mlp(1, 5)
DEEP, RESIDUAL = nets.mlp(2, 11), nets.resnet(2, 5)


def parts(architecture: Architecture) -> tuple[Network, PermutationSpec]:
    net = nets.network(architecture)
    return net, permutation_spec(net.module)


def matched(
    architecture: Architecture, anchor: Weights, moved: Weights, sweeps: int = 50, order: int = 0
) -> Alignment:
    chance = rng.generator("order", order)
    return weight_matching(*parts(architecture), (anchor, moved), chance, sweeps=sweeps)


def arrays(architecture: Architecture, given: Weights) -> dict[str, np.ndarray]:
    net = nets.network(architecture)
    tensors = net.parameters.unflatten(given.parameters)
    return {name: tensor.numpy().astype(np.float64) for name, tensor in tensors.items()}


@pytest.mark.parametrize("seed", range(5))
def test_one_layer_is_solved_exactly(seed: int) -> None:
    A, B = (nets.weights(SMALL, 2 * seed + i) for i in range(2))
    a, b = arrays(SMALL, A), arrays(SMALL, B)

    def inner(perm: tuple[int, ...]) -> float:
        p = list(perm)
        return float(
            (a["hidden.0.weight"] * b["hidden.0.weight"][p]).sum()
            + (a["hidden.0.bias"] * b["hidden.0.bias"][p]).sum()
            + (a["head.weight"] * b["head.weight"][:, p]).sum()
            + (a["head.bias"] * b["head.bias"]).sum()
        )

    best = max(permutations(range(5)), key=inner)
    found = matched(SMALL, A, B)
    assert found.converged
    assert tuple(found.permutations[1]["hidden.0"].tolist()) == best
    # both in float64
    assert found.objective[-1] == pytest.approx(inner(best), rel=1e-12)
    assert found.objective[0] == pytest.approx(inner((0, 1, 2, 3, 4)), rel=1e-12)


@pytest.mark.parametrize("architecture", [DEEP, RESIDUAL], ids=["mlp", "resnet"])
@pytest.mark.parametrize("seed", range(3))
def test_the_objective_is_the_inner_product_with_the_permuted_model(
    architecture: Architecture, seed: int
) -> None:
    A, B = (nets.weights(architecture, 2 * seed + i) for i in range(2))
    found = matched(architecture, A, B)
    moved = permute(*parts(architecture), B, found.permutations[1])
    a, b = A.parameters.numpy().astype(np.float64), moved.parameters.numpy().astype(np.float64)
    # against the sum of magnitudes, because the terms cancel
    assert found.objective[-1] == pytest.approx(a @ b, abs=1e-13 * np.abs(a * b).sum())
    before = a @ B.parameters.numpy().astype(np.float64)
    assert found.objective[0] == pytest.approx(before, abs=1e-13 * np.abs(a * b).sum())
    assert found.gain == found.objective[-1] - found.objective[0]


@pytest.mark.parametrize(
    "architecture", [DEEP, nets.mlp(5, 7), RESIDUAL, nets.resnet(3, 3)], ids=lambda a: a.name
)
def test_a_hidden_permutation_is_always_found(architecture: Architecture) -> None:
    net, spec = parts(architecture)
    for trial in range(20):
        A = nets.weights(architecture, trial)
        B = permute(net, spec, A, nets.random_permutations(net, spec, trial))
        assert not torch.equal(A.parameters, B.parameters)
        by = matched(architecture, A, B, order=trial).permutations[1]
        back = permute(net, spec, B, by)
        assert torch.equal(back.parameters, A.parameters)
        assert torch.equal(back.buffers, A.buffers)


@pytest.mark.parametrize("architecture", [DEEP, RESIDUAL], ids=["mlp", "resnet"])
def test_the_objective_never_falls_and_rest_is_the_first_sweep_without_gain(
    architecture: Architecture,
) -> None:
    gained = 0
    for seed in range(7):
        A, B = (nets.weights(architecture, 2 * seed + i) for i in range(2))
        found = matched(architecture, A, B)
        steps = np.diff(found.objective)
        assert (steps >= 0).all()
        assert found.converged
        assert steps[-1] == 0
        assert (steps[:-1] > 0).all()
        gained += found.gain > 0
    assert gained == 7  # unrelated models can always be brought closer


@pytest.mark.parametrize("architecture", [DEEP, RESIDUAL], ids=["mlp", "resnet"])
def test_at_rest_no_exchange_of_two_units_helps(architecture: Architecture) -> None:
    net, spec = parts(architecture)
    A, B = nets.weights(architecture, 0), nets.weights(architecture, 1)
    found = matched(architecture, A, B)
    a = A.parameters.double()
    for name, perm in found.permutations[1].items():
        for i in range(len(perm)):
            for j in range(i):
                swapped = perm.clone()
                swapped[[i, j]] = perm[[j, i]]
                moved = permute(net, spec, B, {**found.permutations[1], name: swapped})
                inner = (a * moved.parameters.double()).sum().item()
                assert inner <= found.objective[-1] + 1e-12 * a.square().sum().item()


@pytest.mark.parametrize("which", ["both", "moved"])
def test_weights_whose_products_leave_float32_are_matched(which: str) -> None:
    scale = 1e25
    A, B = nets.weights(DEEP, 0), nets.weights(DEEP, 1)
    plain = matched(DEEP, A, B)
    far = [Weights(of.parameters * scale, of.buffers) for of in (A, B)]
    found = matched(DEEP, far[0] if which == "both" else A, far[1])
    assert np.isfinite(found.objective).all()
    for name, perm in plain.permutations[1].items():
        assert torch.equal(found.permutations[1][name], perm)


def test_a_model_stays_where_it_is_when_it_is_matched_to_itself() -> None:
    A = nets.weights(RESIDUAL, 0)
    found = matched(RESIDUAL, A, A)
    for perm in found.permutations[1].values():
        assert torch.equal(perm, torch.arange(len(perm)))
    assert found.gain == 0
    assert found.converged


def test_units_whose_exchange_gains_nothing_stay_where_they_are() -> None:
    flat = nets.weights(SMALL, 0)
    flat = Weights(torch.full_like(flat.parameters, 0.1), flat.buffers)
    for seed in range(
        5
    ):  # every permutation of equal units is as good as any other, up to rounding
        found = matched(SMALL, flat, nets.weights(SMALL, seed))
        assert torch.equal(found.permutations[1]["hidden.0"], torch.arange(5))


def test_too_few_sweeps_are_not_converged() -> None:
    A, B = nets.weights(RESIDUAL, 0), nets.weights(RESIDUAL, 1)
    found = matched(RESIDUAL, A, B, sweeps=1)
    assert not found.converged
    assert len(found.objective) == 2


@pytest.mark.parametrize("architecture", [DEEP, RESIDUAL], ids=["mlp", "resnet"])
def test_the_same_generator_finds_the_same(architecture: Architecture) -> None:
    A, B = nets.weights(architecture, 0), nets.weights(architecture, 1)
    first, second = matched(architecture, A, B), matched(architecture, A, B)
    assert first.objective == second.objective
    assert all(torch.equal(p, second.permutations[1][n]) for n, p in first.permutations[1].items())


def test_buffers_take_no_part() -> None:
    A, B = nets.weights(RESIDUAL, 0), nets.weights(RESIDUAL, 1)
    other = Weights(B.parameters, B.buffers * 3 + 1)
    assert matched(RESIDUAL, A, B).objective == matched(RESIDUAL, A, other).objective


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
@pytest.mark.parametrize("which", ["anchor", "moved"])
def test_numbers_that_are_not_finite_are_refused(bad: float, which: str) -> None:
    models = {"anchor": nets.weights(SMALL, 0), "moved": nets.weights(SMALL, 1)}
    models[which].parameters[3] = bad
    with pytest.raises(ValueError, match="got numbers that are not finite"):
        matched(SMALL, models["anchor"], models["moved"])

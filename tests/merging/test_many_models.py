"""Aligning many models: one frame for all, consistent around every cycle."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations, product

import numpy as np
import pytest
import torch

from merging import nets
from phasezoo import rng
from phasezoo.merging.alignment import Alignment
from phasezoo.merging.merge_many import merge_many
from phasezoo.merging.permutation import permutation_spec, permute
from phasezoo.merging.universe import universe
from phasezoo.merging.weight_matching import weight_matching
from phasezoo.models.flat import Weights
from phasezoo.spec.architecture import Architecture

SMALL, DEEP, RESIDUAL = nets.mlp(1, 3), nets.mlp(2, 11), nets.resnet(2, 5)
Way = Callable[..., Alignment]
WAYS = pytest.mark.parametrize("way", [merge_many, universe], ids=["merge many", "universe"])
BOTH = pytest.mark.parametrize("architecture", [DEEP, RESIDUAL], ids=["mlp", "resnet"])


def aligned(
    way: Way, architecture: Architecture, models: list[Weights], seed: int = 0
) -> Alignment:
    net = nets.network(architecture)
    spec = permutation_spec(net.module)
    return way(net, spec, models, rng.generator("many", seed), sweeps=50)


def applied(architecture: Architecture, models: list[Weights], by: Alignment) -> np.ndarray:
    """Parameters [M, P] in the common frame, in float64."""
    net = nets.network(architecture)
    moved = by.applied(net, permutation_spec(net.module), models)
    return np.stack([of.parameters.numpy().astype(np.float64) for of in moved])


def inner(vectors: np.ndarray) -> float:
    products = vectors @ vectors.T
    return float((products.sum() - np.trace(products)) / 2)


@WAYS
@BOTH
@pytest.mark.parametrize("seed", range(2))
def test_the_objective_is_the_sum_over_pairs_and_never_falls(
    way: Way, architecture: Architecture, seed: int
) -> None:
    models = [nets.weights(architecture, 5 * seed + i) for i in range(4)]
    found = aligned(way, architecture, models)
    assert (np.diff(found.objective) >= 0).all()
    assert found.converged
    assert found.gain > 0
    vectors = np.stack([of.parameters.numpy().astype(np.float64) for of in models])
    assert found.objective[0] == pytest.approx(inner(vectors), rel=1e-9)
    moved = applied(architecture, models, found)
    assert found.objective[-1] == pytest.approx(inner(moved), rel=1e-9)


@WAYS
@BOTH
def test_permutations_are_consistent_around_every_cycle(
    way: Way, architecture: Architecture
) -> None:
    net, models = nets.network(architecture), [nets.weights(architecture, i) for i in range(3)]
    spec = permutation_spec(net.module)
    found = aligned(way, architecture, models)
    for i, j, k in permutations(range(3)):
        through = permute(
            net, spec, permute(net, spec, models[k], found.onto(spec, j, k)), found.onto(spec, i, j)
        )
        straight = permute(net, spec, models[k], found.onto(spec, i, k))
        assert torch.equal(through.parameters, straight.parameters)
        assert torch.equal(through.buffers, straight.buffers)
    same = permute(net, spec, models[0], found.onto(spec, 0, 0))
    assert torch.equal(same.parameters, models[0].parameters)


def test_pairwise_matching_is_not_consistent() -> None:
    """Onto the first, of two others by way of each other, is another permutation."""
    net = nets.network(DEEP)
    spec, chance = permutation_spec(net.module), rng.generator("pairs")
    models = [nets.weights(DEEP, i) for i in range(3)]

    def onto(i: int, j: int) -> Weights:
        by = weight_matching(net, spec, (models[i], models[j]), chance, sweeps=50).permutations[1]
        return permute(net, spec, models[j], by)

    by = weight_matching(net, spec, (models[0], models[1]), chance, sweeps=50).permutations[1]
    through = permute(net, spec, onto(1, 2), by)
    assert not torch.equal(through.parameters, onto(0, 2).parameters)


@WAYS
@BOTH
def test_permuted_copies_come_together(way: Way, architecture: Architecture) -> None:
    net, one = nets.network(architecture), nets.weights(architecture, 0)
    spec = permutation_spec(net.module)
    copies = [
        permute(net, spec, one, nets.random_permutations(net, spec, seed)) for seed in range(4)
    ]
    moved = applied(architecture, copies, aligned(way, architecture, copies))
    assert (moved == moved[0]).all()


@WAYS
def test_one_layer_of_three_models_reaches_the_best_of_all(way: Way) -> None:
    net = nets.network(SMALL)
    spec, reached = permutation_spec(net.module), 0
    for trial in range(10):
        models = [nets.weights(SMALL, 3 * trial + i) for i in range(3)]
        best = -np.inf
        for orders in product(permutations(range(3)), repeat=2):
            by = [{"hidden.0": torch.tensor(order)} for order in ((0, 1, 2), *orders)]
            moved = [permute(net, spec, m, own) for m, own in zip(models, by, strict=True)]
            vectors = np.stack([m.parameters.numpy().astype(np.float64) for m in moved])
            best = max(best, inner(vectors))
        found = aligned(way, SMALL, models, trial).objective[-1]
        assert found <= best * (1 + 1e-9)
        reached += found == pytest.approx(best, rel=1e-9)
    assert reached >= 7  # a local optimum may be another


@WAYS
def test_two_models_are_as_close_as_by_weight_matching(way: Way) -> None:
    net, models = nets.network(RESIDUAL), [nets.weights(RESIDUAL, i) for i in range(2)]
    spec = permutation_spec(net.module)
    pairs = [
        weight_matching(net, spec, models, rng.generator("pair", order), sweeps=50)
        for order in range(20)
    ]
    found = aligned(way, RESIDUAL, models)
    assert found.objective[0] == pytest.approx(pairs[0].objective[0], rel=1e-9)
    # one of the optima that it comes to rest in
    assert any(found.gain == pytest.approx(pair.gain, rel=1e-6) for pair in pairs)


@WAYS
def test_models_that_are_alike_stay(way: Way) -> None:
    one = nets.weights(RESIDUAL, 0)
    found = aligned(way, RESIDUAL, [one] * 3)
    moved = applied(RESIDUAL, [one] * 3, found)
    assert (moved == moved[0]).all()
    assert found.gain == pytest.approx(0, abs=1e-9)


@WAYS
def test_one_model_alone_is_refused(way: Way) -> None:
    with pytest.raises(ValueError, match="models: got 1, allowed are at least 2"):
        aligned(way, SMALL, [nets.weights(SMALL, 0)])

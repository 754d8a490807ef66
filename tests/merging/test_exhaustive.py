"""All permutations are tried, and none that was not kept has a lower barrier."""

from __future__ import annotations

import functools
import math
from itertools import permutations

import pytest
import torch
from torch.nn import functional

import oracles
from merging import nets
from phasezoo import rng
from phasezoo.landscape.curve import barrier, line, profile
from phasezoo.merging import exhaustive as module
from phasezoo.merging.exhaustive import combinations, every_permutation, exhaustive
from phasezoo.merging.permutation import (
    AlignmentError,
    Part,
    PermutationSpec,
    Product,
    permutation_spec,
    permute,
)
from phasezoo.merging.weight_matching import weight_matching
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import Layout, Slot, Weights
from phasezoo.spec.architecture import Architecture
from phasezoo.training.train import start, train

TASK = oracles.blobs(train=41, test=3, shape=(2, 5, 5), classes=3)
MLP, RESIDUAL = nets.mlp(2, 3), nets.resnet(1, 3)
BOTH = pytest.mark.parametrize("architecture", [MLP, RESIDUAL], ids=["mlp", "resnet"])
POINTS = 7
# two heads of three dimensions each
HEADED = PermutationSpec(
    {"in": (Product((Part("head", 2), Part("within", 3))), None)}, within={"within": ("head",)}
)


def network(architecture: Architecture) -> nets.Network:
    return nets.Network(build(architecture, TASK.shape, TASK.classes), nets.CPU)


@functools.cache
def trained(architecture: Architecture, seed: int) -> Weights:
    """At a minimum, so that there is a barrier; between random weights there may be none."""
    module = build(architecture, TASK.shape, TASK.classes)
    initialise(module, rng.generator("init", seed))
    how = oracles.optimisation(oracles.onecycle(20))
    (last,) = train(module, TASK, how, ("exhaustive", str(seed)), start(module), (20,))
    return last.weights


def pair(architecture: Architecture) -> list[Weights]:
    return [trained(architecture, seed) for seed in range(2)]


def test_a_perceptron_is_aligned_as_plain_loops_in_float64_do_it() -> None:
    net, (A, B) = network(MLP), pair(MLP)
    a, b = (net.parameters.unflatten(of.parameters.double()) for of in (A, B))
    x, y = TASK.train_inputs.double().flatten(1), TASK.train_labels

    def loss(w: list[torch.Tensor]) -> float:
        hidden = torch.relu(torch.relu(x @ w[0].T + w[1]) @ w[2].T + w[3])
        return functional.cross_entropy(hidden @ w[4].T + w[5], y).item()

    heights = {}
    for p in permutations(range(3)):
        for q in permutations(range(3)):
            w = list(b.values())
            w = [w[0][list(p)], w[1][list(p)], w[2][list(q)][:, list(p)], w[3][list(q)],
                 w[4][:, list(q)], w[5]]  # fmt: skip
            t = [i / (POINTS - 1) for i in range(POINTS)]
            path = [
                loss([(1 - s) * c + s * d for c, d in zip(a.values(), w, strict=True)]) for s in t
            ]
            heights[p, q] = max(path) - (path[0] + path[-1]) / 2
    best = min(heights, key=lambda key: heights[key])
    spec = permutation_spec(net.module)
    found = exhaustive(net, spec, [A, B], rng.generator("x"), task=TASK, points=POINTS)
    assert tuple(tuple(p.tolist()) for p in found.permutations[1].values()) == best
    assert found.objective[0] == pytest.approx(-heights[(0, 1, 2), (0, 1, 2)], abs=1e-5)
    assert found.objective[1] == pytest.approx(-heights[best], abs=1e-5)
    assert len(set(heights.values())) > 30  # they do differ


@BOTH
def test_no_other_permutation_has_a_lower_barrier(architecture: Architecture) -> None:
    net, (A, B) = network(architecture), pair(architecture)
    spec = permutation_spec(net.module)

    def height(by: dict[str, torch.Tensor]) -> float:
        moved = permute(net, spec, B, by).parameters
        return barrier(profile(net, TASK, line(A.parameters, moved), POINTS).train_loss)

    found = exhaustive(net, spec, [A, B], rng.generator("x"), task=TASK, points=POINTS)
    heights = [height(by) for by in every_permutation(spec, net.parameters)]
    assert height(found.permutations[1]) == pytest.approx(min(heights), abs=1e-6)
    assert -found.objective[1] == pytest.approx(min(heights), abs=1e-6)
    assert -found.objective[0] == pytest.approx(heights[0], abs=1e-6)
    matched = weight_matching(net, spec, [A, B], rng.generator("x"), sweeps=20)
    assert -found.objective[1] <= height(matched.permutations[1]) + 1e-6


@BOTH
def test_a_hidden_permutation_has_no_barrier_and_is_found(architecture: Architecture) -> None:
    net, one = network(architecture), trained(architecture, 0)
    spec = permutation_spec(net.module)
    copy = permute(net, spec, one, nets.random_permutations(net, spec, 0))
    found = exhaustive(net, spec, [one, copy], rng.generator("x"), task=TASK, points=3)
    assert torch.equal(found.applied(net, spec, [one, copy])[1].parameters, one.parameters)
    assert found.objective[1] == pytest.approx(0, abs=1e-6)


def test_heads_and_what_is_within_each_are_all_tried() -> None:
    layout = Layout((Slot("in", 0, (6, 4)),))
    found = every_permutation(HEADED, layout)
    distinct = {(*by["head"].tolist(), *by["within"].flatten().tolist()) for by in found}
    assert len(found) == len(distinct) == combinations(HEADED, layout) == 2 * 6**2
    assert found[0]["head"].tolist() == [0, 1]
    assert found[0]["within"].tolist() == [[0, 1, 2]] * 2


@pytest.mark.parametrize(
    ("width", "count"), [(6, f"{math.factorial(6) ** 2:,}"), (100, r"10\^316")]
)
def test_too_many_are_refused_before_a_loss_is_computed(
    width: int, count: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "scores_of", None)
    monkeypatch.setattr(module, "permute", None)
    architecture = nets.mlp(2, width)
    net = network(architecture)
    with pytest.raises(AlignmentError, match=f"got {count} combinations .* at most 50,000"):
        exhaustive(
            net,
            permutation_spec(net.module),
            [nets.weights(architecture, seed) for seed in range(2)],
            rng.generator("x"),
            task=TASK,
        )

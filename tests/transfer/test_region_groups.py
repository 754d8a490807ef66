"""Who is inside and outside of a region, and what is drawn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from region_case import models_of, start_of

from phasezoo.transfer.regions.groups import around, convex, groups, settled
from phasezoo.transfer.regions.levels import LEVELS, inside, outside
from phasezoo.transfer.regions.paths import along, alphas, inner_minimum, lines

FAMILIES = {"a1": "a", "a2": "a", "b1": "b", "b2": "b", "b3": "b"}
DATASETS = [name for name in FAMILIES for _ in range(3)]
START = start_of()
MODELS = models_of(START, DATASETS, FAMILIES)


def names(places: list[int]) -> set[str]:
    return {DATASETS[place] for place in places}


def rows(bodies: torch.Tensor) -> set[int]:
    """Positions of bodies among the tuned ones."""
    same = (bodies[:, None] == MODELS.bodies).all(dim=2)
    return set(same.nonzero()[:, 1].tolist())


@pytest.mark.parametrize(
    ("level", "within", "without"),
    [
        ("dataset", {"b1"}, {"a1", "a2", "b2", "b3"}),
        ("family", {"b1", "b2", "b3"}, {"a1", "a2"}),
        ("general", set(FAMILIES), set()),
        ("family but target", {"b2", "b3"}, {"a1", "a2"}),
        ("general but target", {"a1", "a2", "b2", "b3"}, set()),
    ],
)
def test_levels(level: str, within: set[str], without: set[str]) -> None:
    assert names(inside(level, "b1", DATASETS, FAMILIES)) == within
    assert names(outside(level, "b1", DATASETS, FAMILIES)) == without


@pytest.mark.parametrize("level", LEVELS)
def test_groups_are_of_one_size_and_from_where_they_should_be(level: str) -> None:
    found = groups(MODELS, "b1", level, 5, "study")
    sizes = {len(bodies) for bodies in found.values()}
    assert sizes == {3 if level == "dataset" else 5}
    within = inside(level, "b1", DATASETS, FAMILIES)
    assert rows(found["in"]) <= set(within)
    assert not rows(found["in'"])
    if not level.startswith("general"):
        assert rows(found["ex"]) <= set(outside(level, "b1", DATASETS, FAMILIES))
        assert len(rows(found["ex"])) == len(found["ex"])
    again, other = (groups(MODELS, "b1", level, 5, name) for name in ("study", "another"))
    assert torch.equal(found["in'"], again["in'"])
    assert not torch.equal(found["in'"], other["in'"])


def test_random_directions_are_as_long_as_the_mean_task_vector_and_move_no_biases() -> None:
    found = groups(MODELS, "b1", "general", 7, "study")["ex"] - START.body.double()
    length = MODELS.vectors.mean(dim=0).norm()
    assert torch.allclose(found.norm(dim=1), length.expand(7))
    parts = START.layout.unflatten(found[0])
    assert not parts["hidden.0.bias"].any()
    assert parts["hidden.0.weight"].all()


def test_variances_of_random_directions_are_glorots() -> None:
    far = around(START, 1, 199, "x") - START.body.double()
    of = [START.layout.unflatten(row) for row in far]
    first, second = (
        torch.stack([tensors[name] for tensors in of]).var()
        for name in ("hidden.0.weight", "hidden.1.weight")
    )
    assert (second / first).item() == pytest.approx((25 + 7) / (7 + 7), rel=0.05)


def test_combinations_are_convex() -> None:
    vertices = torch.cat([torch.eye(5), torch.zeros(5, 1) + 2], dim=1).double()
    found = convex(vertices, 997, "x")
    assert (found[:, :5] >= 0).all()
    assert torch.allclose(found[:, :5].sum(dim=1), torch.ones(997, dtype=torch.float64))
    assert torch.allclose(found[:, 5], torch.full((997,), 2.0, dtype=torch.float64))
    # Dirichlet(1) over V vertices: mean 1 / V, variance (V - 1) / (V^2 (V + 1))
    assert torch.allclose(found[:, :5].mean(dim=0), torch.full((5,), 0.2).double(), atol=0.02)
    assert found[:, :5].var().item() == pytest.approx(4 / (25 * 6), rel=0.1)


def test_models_that_diverged_take_part_in_nothing() -> None:
    models = models_of(START, DATASETS, FAMILIES)
    models.bodies[DATASETS.index("b1")] = torch.nan
    found = groups(models, "b1", "family", 50, "study")
    assert all(bodies.isfinite().all() for bodies in found.values())
    assert len(found["in"]) == len(found["in'"]) == 8
    models.bodies[6:8] = torch.nan
    assert not len(groups(models, "b1", "dataset", 50, "study")["in'"])
    for line in lines(models, "b1", "general", 50, "study"):
        assert np.isfinite(line.length)


@pytest.mark.parametrize(
    ("group", "level", "count", "expected"),
    [
        ("in", "family", 9, ["b1"] * 3 + ["b2"] * 3 + ["b3"] * 3),
        ("in", "family but target", 6, ["b2"] * 3 + ["b3"] * 3),
        ("ex", "family", 6, ["a1"] * 3 + ["a2"] * 3),
        ("in", "family", 8, None),  # a draw of more
        ("ex", "dataset", 3, None),
        ("in'", "family", 9, None),  # none of the tuned models
        ("ex", "general", 15, None),
    ],
)
def test_data_sets_of_members_are_settled_where_all_models_are_in(
    group: str, level: str, count: int, expected: list[str] | None
) -> None:
    assert settled(group, level, "b1", DATASETS, FAMILIES, count) == expected


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("most", [3, 6, 50])
def test_what_is_settled_is_what_groups_hold(level: str, most: int) -> None:
    models = models_of(START, DATASETS, FAMILIES)
    models.bodies[DATASETS.index("b2")] = torch.nan
    finite = models.finite(range(len(DATASETS)))
    known = [DATASETS[place] for place in finite]
    found = groups(models, "b1", level, most, "study")
    for group, bodies in found.items():
        told = settled(group, level, "b1", known, FAMILIES, len(bodies))
        same = (bodies[:, None] == models.bodies).all(dim=2)
        if told is not None:
            assert [DATASETS[i] for i in same.nonzero()[:, 1].tolist()] == told
        elif group == "ex" and same.any():
            assert len(bodies) == len(found["in"])  # as many, of more
        else:
            assert len(bodies) == most or not same.any()


def test_lines_end_where_their_models_are() -> None:
    (line, *_) = lines(MODELS, "b1", "dataset", 3, "study")
    at = alphas(3, [1, 31])
    assert at.tolist() == [-31, -1, 0, 0.5, 1, 2, 32]
    found = along(MODELS, line, at)
    first, second = MODELS.bodies[line.first], MODELS.bodies[line.second]
    assert torch.equal(found[2], first)
    assert torch.equal(found[4], second)
    assert torch.allclose(found[5], 2 * second - first)
    assert torch.allclose(found[1], 2 * first - second)
    mean = MODELS.vectors.norm(dim=1).mean()
    assert line.length == pytest.approx(((first - second).norm() / mean).item())


@pytest.mark.parametrize(
    ("level", "count", "suits"),
    [
        ("dataset", 3, lambda a, b: a == b == "b1"),
        ("family", 27, lambda a, b: a != b and FAMILIES[a] == FAMILIES[b] == "b"),
        ("family but target", 9, lambda a, b: {a, b} == {"b2", "b3"}),
        ("general", 54, lambda a, b: FAMILIES[a] != FAMILIES[b]),
        ("general but target", 36, lambda a, b: FAMILIES[a] != FAMILIES[b] and "b1" not in (a, b)),
    ],
)
def test_lines_are_between_the_models_of_a_level(level: str, count: int, suits: object) -> None:
    every = lines(MODELS, "b1", level, 1000, "study")
    assert len(every) == count
    assert all(suits(DATASETS[line.first], DATASETS[line.second]) for line in every)
    few = lines(MODELS, "b1", level, 2, "study")
    assert len(few) == 2
    assert {(f.first, f.second) for f in few} <= {(e.first, e.second) for e in every}


def test_an_inner_minimum_is_lower_than_both_ends() -> None:
    at = alphas(5, [1])
    assert inner_minimum(np.square(at - 0.5), at)
    assert not inner_minimum(at, at)
    assert not inner_minimum(np.zeros(7), at)
    assert not inner_minimum(np.array([-9.0, 0, 1, 1, 1, 0, -9]), at)

"""Accepted steps satisfy the strong Wolfe conditions, and no search goes on for ever."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from phasezoo.training import line_search
from phasezoo.training.line_search import Point, Search, advance, begin, lowest

Line = Callable[[Tensor], Tensor]
FIRST = torch.tensor([1e-3, 1e-1, 1.0, 10.0, 1e3, 7e5, 3e-6], dtype=torch.float64)
NEVER = torch.zeros(len(FIRST), dtype=torch.float64)


def rational(step: Tensor) -> Tensor:
    """More and Thuente 1994, eq. 5.1: lowest at the root of 2, flat far away."""
    return -step / (step.square() + 2)


def quintic(step: Tensor) -> Tensor:
    """The same, eq. 5.2: lowest at 1.6 - 0.004, and steep from there."""
    return (step + 0.004) ** 5 - 2 * (step + 0.004) ** 4


def waves(step: Tensor) -> Tensor:
    """Many minima on a parabola."""
    return (step - 3).square() / 9 + 0.3 * torch.cos(7 * step) - 0.5 * torch.sin(step)


def wall(step: Tensor) -> Tensor:
    """Not finite from 1 on."""
    return -step - 0.1 * torch.log(1 - step)


LINES = [rational, quintic, waves, wall]


def at(line: Line, step: Tensor) -> tuple[Tensor, Tensor]:
    """Values and slopes."""
    step = step.clone().requires_grad_()
    values = line(step)
    (slopes,) = torch.autograd.grad(values.sum(), step)
    return values.detach(), slopes


def searched(line: Line, first: Tensor, slope: float = 1.0) -> tuple[Tensor, Tensor, int]:
    """Where searches end (NaN where they fail), evaluations of each, and of all."""
    loss, start = at(line, torch.zeros_like(first))
    search, least = begin(loss, slope * start, first), torch.zeros_like(first)
    found, trials = torch.full_like(first, torch.nan), torch.zeros_like(first)
    going, count = torch.ones(len(first), dtype=torch.bool), 0
    while going.any():
        step = search.step
        search, accepted, failed = advance(search, *at(line, step), least)
        count += 1
        trials += going
        found = torch.where(going & accepted, step, found)
        going &= ~(accepted | failed)
    return found, trials, count


def wolfe(line: Line, step: Tensor) -> Tensor:
    """Both conditions, written down once more."""
    (f0, g0), (f, g) = at(line, torch.zeros_like(step)), at(line, step)
    return (f <= f0 + 1e-4 * step * g0) & (g.abs() <= 0.9 * g0.abs())


@pytest.mark.parametrize("line", LINES)
def test_accepted_steps_satisfy_both_conditions(line: Line) -> None:
    found, trials, count = searched(line, FIRST)
    assert wolfe(line, found).all()
    assert count == trials.max() < line_search.MOST


@pytest.mark.parametrize("line", LINES)
def test_searches_share_evaluations_and_nothing_else(line: Line) -> None:
    together = searched(line, FIRST)
    for i, first in enumerate(FIRST):
        found, trials, _ = searched(line, first[None])
        assert torch.equal(found, together[0][i, None])
        assert torch.equal(trials, together[1][i, None])


@pytest.mark.parametrize("line", [rational, quintic, wall])
def test_a_strict_search_finds_the_minimum(monkeypatch: pytest.MonkeyPatch, line: Line) -> None:
    monkeypatch.setattr(line_search, "CURVATURE", 1e-9)
    lowest_at = {"rational": 2**0.5, "quintic": 1.6 - 0.004, "wall": 0.9}[line.__name__]
    found, _, _ = searched(line, FIRST[1:4])
    torch.testing.assert_close(found, torch.full_like(found, lowest_at), rtol=1e-7, atol=0)


def test_a_step_that_is_good_at_once_is_taken() -> None:
    found, trials, _ = searched(lambda t: (t - 1.0).square(), torch.tensor([0.9]))
    assert (found.item(), trials.item()) == (pytest.approx(0.9), 1)


def test_a_slope_that_lies_ends_in_failure() -> None:
    """The loss rises where it is said to fall."""
    found, trials, _ = searched(lambda t: t + t.square(), FIRST, slope=-1.0)
    assert found.isnan().all()
    assert (trials <= line_search.MOST).all()


def test_nothing_but_infinities_ends_in_failure() -> None:
    found, _, _ = searched(lambda t: torch.where(t > 0, torch.inf, -t), FIRST)
    assert found.isnan().all()


def test_a_kink_ends_with_the_lowest_point_found() -> None:
    """|t - 1| has slope 1 or -1 almost everywhere, which no step flattens."""
    found, _, _ = searched(lambda t: (t - 1).abs(), FIRST)
    assert ((found - 1).abs() < 0.01).all()


def test_a_line_without_a_bottom_is_left_where_the_search_is_given_up() -> None:
    found, trials, _ = searched(lambda t: -t, FIRST)
    assert (trials == line_search.MOST).all()
    assert (found > FIRST * 1e10).all()


def test_an_interval_that_is_short_enough_is_not_searched() -> None:
    loss, slope = at(lambda t: (t - 1).abs(), NEVER)
    search, least = begin(loss, slope, torch.full_like(NEVER, 3.0)), torch.full_like(NEVER, 4.0)
    search, accepted, failed = advance(search, *at(lambda t: (t - 1).abs(), search.step), least)
    assert not accepted.any()
    assert failed.all()  # between 0 and 3, and 3 is too high


def test_the_cubic_is_lowest_where_its_derivative_vanishes() -> None:
    """t^3 - 2 t^2 - 5 t + 1, with the minimum (2 + sqrt 19) / 3, from both sides."""

    def cubic(step: Tensor) -> Tensor:
        return step**3 - 2 * step.square() - 5 * step + 1

    first = torch.tensor([0.0, 5.0, 1.0, 2.5], dtype=torch.float64)
    second = torch.tensor([3.0, 1.0, 9.0, -0.5], dtype=torch.float64)
    one, other = Point(first, *at(cubic, first)), Point(second, *at(cubic, second))
    far = torch.full_like(first, 100.0)
    found = lowest(one, other, -far, far)
    torch.testing.assert_close(found, torch.full_like(found, (2 + 19**0.5) / 3))
    assert torch.equal(lowest(one, other, -far, far / 100), far / 100)


def test_a_cubic_without_a_minimum_gives_the_middle() -> None:
    step = torch.tensor([0.0], dtype=torch.float64)
    one, other = (Point(step + i, *at(lambda t: t**3 + t, step + i)) for i in (0, 1))
    assert lowest(one, other, step + 2, step + 6).item() == 4


def test_a_search_in_32_bits_ends_like_one_in_64() -> None:
    for line in (rational, waves, wall):  # the slope of the other at 0 is less than rounding
        found, trials, _ = searched(line, FIRST.float())
        assert found.dtype == torch.float32
        assert (trials <= line_search.MOST + 1).all()  # one more where it is given up
        assert wolfe(line, found.double()).all()


def test_the_table_of_a_search_is_all_of_it() -> None:
    loss, slope = at(waves, NEVER)
    search, _, _ = advance(begin(loss, slope, FIRST), *at(waves, FIRST), NEVER)
    table = search.table
    assert table.shape == (len(FIRST), line_search.COLUMNS)
    assert torch.equal(Search.of(table).table, table)
    assert len(table.unique(dim=1).T) > 8

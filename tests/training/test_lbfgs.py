"""L-BFGS is that of torch and of scipy; models of a stack do not know of each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import scipy.optimize
import torch
from torch import Tensor

import oracles
from phasezoo.spec.base import SpecError
from phasezoo.spec.training import Lbfgs
from phasezoo.training import line_search
from phasezoo.training.curvature_pairs import CurvaturePairs
from phasezoo.training.lbfgs import NUMBERS, StackedLbfgs, Stage

P = 17
Losses = Callable[[Tensor], Tensor]  # [N, P] -> [N]
SPREAD = oracles.symmetric(np.geomspace(1, 20, P), seed=0)
GOAL = oracles.vector(P, 1)


def lbfgs(
    history: int = 7, grad: float = 0.0, change: float = 0.0, learning_rate: float | None = 1.0
) -> Lbfgs:
    return Lbfgs(
        name="lbfgs",
        learning_rate=learning_rate,
        history=history,
        tolerance_grad=grad,
        tolerance_change=change,
    )


def quadratic(points: Tensor) -> Tensor:
    """1/2 (x - goal)^T A (x - goal)."""
    away = points - GOAL.to(points)
    return (away @ SPREAD.to(points) * away).sum(dim=1) / 2


def rosenbrock(points: Tensor) -> Tensor:
    """Lowest at ones."""
    here, after = points[:, :-1], points[:, 1:]
    return (100 * (after - here.square()).square() + (1 - here).square()).sum(dim=1)


def logistic(points: Tensor) -> Tensor:
    """Of 53 samples with a penalty, so strictly convex."""
    inputs = oracles.vector(53 * P, 2).reshape(53, P).to(points)
    signs = oracles.vector(53, 3).sign().to(points)
    margins = signs * (points @ inputs.T)
    losses = torch.nn.functional.softplus(-margins).mean(dim=1)
    return losses + 0.01 * points.square().sum(dim=1)


def with_gradients(losses: Losses) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    def function(points: Tensor) -> tuple[Tensor, Tensor]:
        points = points.clone().requires_grad_()
        values = losses(points)
        (gradients,) = torch.autograd.grad(values.sum(), points)
        return values, gradients

    return function


def starts(models: int = 3, scale: float = 1.0) -> Tensor:
    return scale * oracles.vector(models * P, 5).reshape(models, P)


def fresh(points: Tensor, spec: Lbfgs) -> StackedLbfgs:
    return StackedLbfgs(spec, points, torch.zeros(len(points), spec.moments, points.shape[1]))


def run(stack: StackedLbfgs, losses: Losses, most: int = 3000) -> StackedLbfgs:
    """Until nothing moves."""
    while stack.active.any() and (most := most - 1):
        stack.step(with_gradients(losses))
    return stack


def iterates(losses: Losses, point: Tensor, spec: Lbfgs, count: int) -> Iterator[Tensor]:
    """The points that one model accepts after where it begins."""
    stack, last = fresh(point[None], spec), point
    while count:
        stack.step(with_gradients(losses))
        if not torch.equal(stack.points[0], last):
            last, count = stack.points[0], count - 1
            yield last


def torchs(losses: Losses, point: Tensor, count: int, history: int) -> Iterator[Tensor]:
    """The same of torch, with a call for each iteration."""
    found = point.clone().requires_grad_()
    optimiser = torch.optim.LBFGS(
        [found],
        max_iter=1,
        max_eval=1 + line_search.MOST,  # of which one at the beginning, the rest for the search
        tolerance_grad=0.0,
        tolerance_change=0.0,
        history_size=history,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = losses(found[None])[0]
        loss.backward()
        return loss

    for _ in range(count):
        optimiser.step(closure)
        yield found.detach().clone()


@pytest.mark.parametrize("history", [1, 7, 50])
@pytest.mark.parametrize(("losses", "count"), [(quadratic, 18), (logistic, 15), (rosenbrock, 40)])
def test_iterates_are_those_of_torch(losses: Losses, count: int, history: int) -> None:
    for point in starts():
        ours = torch.stack(list(iterates(losses, point, lbfgs(history), count)))
        theirs = torch.stack(list(torchs(losses, point, count, history)))
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-8)


def test_the_minimum_of_a_quadratic_is_found() -> None:
    found = run(fresh(starts(), lbfgs(grad=1e-10)), quadratic)
    assert (found.stage == Stage.CONVERGED).all()
    torch.testing.assert_close(found.points, GOAL.expand(3, P), rtol=0, atol=1e-8)


@pytest.mark.parametrize("losses", [rosenbrock, logistic])
def test_the_minimum_is_that_of_scipy(losses: Losses) -> None:
    near = 1 + 0.1 * starts()  # Rosenbrock's function has another minimum, far away

    def function(point: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = with_gradients(losses)(torch.from_numpy(point)[None])
        return value.item(), slope[0].numpy()

    found = run(fresh(near, lbfgs(grad=1e-7)), losses)
    assert (found.stage == Stage.CONVERGED).all()
    for start, point in zip(near, found.points, strict=True):
        options = {"gtol": 1e-9, "ftol": 0, "maxcor": 7}
        theirs = scipy.optimize.minimize(
            function, start.numpy(), jac=True, method="L-BFGS-B", options=options
        )
        np.testing.assert_allclose(point.numpy(), theirs.x, rtol=0, atol=1e-6)


def conjugate_gradients(point: Tensor, count: int) -> list[Tensor]:
    """Hestenes and Stiefel on the quadratic."""
    found, residual = [point], SPREAD @ (GOAL - point)
    direction = residual
    for _ in range(count):
        curved = SPREAD @ direction
        length = residual.square().sum() / (direction @ curved)
        found.append(found[-1] + length * direction)
        after = residual - length * curved
        direction = after + after.square().sum() / residual.square().sum() * direction
        residual = after
    return found[1:]


@pytest.mark.parametrize("history", [1, 5, P])
def test_with_exact_searches_it_is_the_method_of_conjugate_gradients(
    monkeypatch: pytest.MonkeyPatch, history: int
) -> None:
    """So on a quadratic of P unknowns it ends after P steps, at the minimum."""
    monkeypatch.setattr(line_search, "CURVATURE", 1e-10)
    for point in starts():
        ours = list(iterates(quadratic, point, lbfgs(history), P))
        theirs = conjugate_gradients(point, P)
        torch.testing.assert_close(torch.stack(ours), torch.stack(theirs), rtol=0, atol=1e-5)
        torch.testing.assert_close(ours[-1], GOAL, rtol=0, atol=1e-5)


def test_the_direction_is_that_of_the_dense_formula() -> None:
    """BFGS updates of a dense inverse (Nocedal and Wright 2006, eq. 6.17), pair after pair."""
    steps = oracles.vector(4 * 2 * P, 7).reshape(4, 2, P)
    changes = steps @ SPREAD
    pairs = CurvaturePairs(*(torch.zeros(3, 2, P, dtype=torch.float64) for _ in range(2)))
    everyone = torch.ones(2, dtype=torch.bool)
    for s, y in zip(steps, changes, strict=True):
        pairs.push(everyone, s, y, everyone=True)
    gradients = starts(2)
    found = pairs.direction(gradients)
    for model in range(2):
        s, y = steps[-1, model], changes[-1, model]
        inverse = (s @ y) / (y @ y) * torch.eye(P, dtype=torch.float64)
        for s, y in zip(steps[1:, model], changes[1:, model], strict=True):
            left = torch.eye(P, dtype=torch.float64) - torch.outer(s, y) / (s @ y)
            inverse = left @ inverse @ left.T + torch.outer(s, s) / (s @ y)
        torch.testing.assert_close(found[model], -inverse @ gradients[model])


def test_models_without_pairs_go_down_the_steepest_way() -> None:
    pairs = CurvaturePairs(*(torch.zeros(3, 2, P, dtype=torch.float64) for _ in range(2)))
    gradients = starts(2)
    one = torch.tensor([True, False])
    pairs.push(one, gradients, gradients @ SPREAD, everyone=False)
    assert pairs.some.tolist() == [True, False]
    assert torch.equal(pairs.direction(gradients)[1], -gradients[1])
    pairs.forget(one)
    assert torch.equal(pairs.direction(gradients), -gradients)


@pytest.mark.parametrize("losses", [quadratic, rosenbrock, logistic])
def test_every_accepted_step_satisfies_the_strong_wolfe_conditions(losses: Losses) -> None:
    function, stack, seen = with_gradients(losses), fresh(starts(5), lbfgs(grad=1e-7)), 0
    while stack.active.any():
        before = stack.points
        stack.step(function)
        step = stack.points - before
        moved = step.abs().amax(dim=1) > 0
        (f0, g0), (f, g) = function(before), function(stack.points)
        expected, left = ((slopes * step).sum(dim=1) for slopes in (g0, g))
        assert (expected[moved] < 0).all()
        assert (f <= f0 + 1e-4 * expected)[moved].all()
        assert (left.abs() <= (0.9 + 1e-9) * expected.abs())[moved].all()
        assert torch.equal(stack.losses, f.detach())
        seen += int(moved.sum())
    assert (stack.stage == Stage.CONVERGED).all()
    assert seen > 50


@pytest.mark.parametrize("losses", [quadratic, rosenbrock, logistic])
def test_a_stack_does_what_its_models_do_alone(losses: Losses) -> None:
    points = starts(5) * torch.tensor([[0.1], [1.0], [2.0], [0.5], [1.5]])
    together, alone = fresh(points, lbfgs()), [fresh(p[None], lbfgs()) for p in points]
    for _ in range(30):
        for stack in (together, *alone):
            stack.step(with_gradients(losses))
    separate = torch.cat([stack.points for stack in alone])
    torch.testing.assert_close(together.points, separate, rtol=1e-6, atol=1e-8)


def test_what_is_not_finite_at_the_start_does_not_move_nor_disturb() -> None:
    points = starts(4)
    ill = points.clone()
    ill[1] = torch.nan
    ill[3, 0] = torch.inf
    well, mixed = (fresh(p, lbfgs(grad=1e-8)) for p in (points, ill))
    for _ in range(40):
        well.step(with_gradients(logistic))
        mixed.step(with_gradients(logistic))
    assert mixed.stage.tolist() == [Stage.CONVERGED, Stage.BROKEN] * 2
    torch.testing.assert_close(mixed.points[::2], well.points[::2])
    assert torch.equal(mixed.points[1::2], ill[1::2]) or mixed.points[1].isnan().all()
    assert not mixed.state[1::2].isnan().any()


def test_what_overflows_along_a_search_steps_back() -> None:
    """The exponential of a first step of 1e4 is infinite; the minimum is at 0."""

    def steep(points: Tensor) -> Tensor:
        return (points.exp() + (-points).exp()).sum(dim=1)

    found = run(fresh(starts(), lbfgs(grad=1e-7, learning_rate=1e4)), steep)
    assert (found.stage == Stage.CONVERGED).all()
    torch.testing.assert_close(found.points, torch.zeros_like(found.points), rtol=0, atol=1e-6)


def test_a_model_that_has_converged_stays_while_others_go_on() -> None:
    points = torch.cat([GOAL[None], starts(2)])
    stack, asked = fresh(points, lbfgs(grad=1e-9)), []

    def function(trials: Tensor) -> tuple[Tensor, Tensor]:
        asked.append(trials[0].clone())
        return with_gradients(quadratic)(trials)

    while stack.active.any():
        stack.step(function)
    assert len(asked) > 10
    assert all(torch.equal(point, GOAL) for point in [*asked, stack.points[0]])


@pytest.mark.parametrize(("grad", "change"), [(1e-4, 0.0), (0.0, 1e-4)])
def test_it_stops_at_its_tolerances(grad: float, change: float) -> None:
    found = run(fresh(starts(), lbfgs(grad=grad, change=change)), logistic)
    assert (found.stage == Stage.CONVERGED).all()
    slopes = with_gradients(logistic)(found.points)[1].abs().amax(dim=1)
    assert (slopes > 1e-7).all()
    assert (slopes < (1e-4 if grad else 0.1)).all()


def test_without_tolerances_it_stops_where_rounding_leaves_nothing_lower() -> None:
    found = run(fresh(starts().float(), lbfgs()), logistic)
    assert (found.stage == Stage.STALLED).all()
    exact = run(fresh(starts(), lbfgs(grad=1e-10)), logistic)
    torch.testing.assert_close(found.losses.double(), exact.losses, rtol=1e-6, atol=0)
    torch.testing.assert_close(found.points.double(), exact.points, rtol=0, atol=2e-3)


def test_the_first_step_is_that_of_torch_times_the_learning_rate() -> None:
    """min(1, 1 / |g|_1) of -g, where no search is needed."""
    points = starts()
    stack = fresh(points, lbfgs(learning_rate=0.5))
    slopes = with_gradients(quadratic)(points)[1]
    asked: list[Tensor] = []

    def function(trials: Tensor) -> tuple[Tensor, Tensor]:
        asked.append(trials)
        return with_gradients(quadratic)(trials)

    for _ in range(2):
        stack.step(function)
    assert torch.equal(asked[0], points)
    short = (1 / slopes.abs().sum(dim=1, keepdim=True)).clamp(max=1)
    torch.testing.assert_close(asked[1], points - 0.5 * short * slopes)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("broken_at", [0, 1, 2, 5, 11, 23])
def test_going_on_from_a_state_is_the_unbroken_run_to_the_bit(
    dtype: torch.dtype, broken_at: int
) -> None:
    spec, points = lbfgs(history=3), starts(4).to(dtype)
    unbroken, first = fresh(points, spec), fresh(points, spec)
    for _ in range(30):
        unbroken.step(with_gradients(rosenbrock))
    for _ in range(broken_at):
        first.step(with_gradients(rosenbrock))
    resumed = StackedLbfgs(spec, first.points, first.state)
    assert torch.equal(resumed.state, first.state)
    for _ in range(30 - broken_at):
        resumed.step(with_gradients(rosenbrock))
    assert torch.equal(resumed.points, unbroken.points)
    assert torch.equal(resumed.state, unbroken.state)
    assert unbroken.state.shape == (4, spec.moments, P)


def test_what_it_goes_on_from_is_copied() -> None:
    """Searches that fail drop the pairs in place."""
    stack = fresh(starts(1).float(), lbfgs(history=3))
    for _ in range(20):
        stack.step(with_gradients(logistic))
    points, state = stack.points.clone(), stack.state.contiguous()
    before = state.clone()
    run(StackedLbfgs(lbfgs(history=3), points, state), logistic)
    assert torch.equal(state, before)
    assert torch.equal(points, stack.points)


def test_a_network_too_small_to_store_the_search_in_is_refused() -> None:
    with pytest.raises(SpecError, match=f"got {NUMBERS - 1}; allowed: at least {NUMBERS}, the"):
        fresh(torch.zeros(2, NUMBERS - 1), lbfgs())
    fresh(torch.zeros(2, NUMBERS), lbfgs())


def test_an_unset_learning_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="learning_rate: got None, allowed is a number greater"):
        fresh(starts(), lbfgs(learning_rate=None))

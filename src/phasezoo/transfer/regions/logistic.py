"""Multinomial logistic regressions, many as one program, fitted to convergence in float64."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

MEMORY = 10  # pairs of steps and changes of slope that a search remembers
SLOPE = 1e-6  # largest entry of a gradient at which a fit has converged
_ENOUGH = 1e-4  # share of the decrease that a slope promises (Armijo)
_HALVINGS = 30


@dataclass(frozen=True)
class Fit:
    """Logits [M, N, K] are inputs [M, N, D] @ weights [M, D, K] + intercepts [M, 1, K].

    Attributes:
        weights: of the inputs as they are given.
        intercepts: not penalised.
        converged: [M], whether the gradient has come down to `SLOPE`.
    """

    weights: Tensor
    intercepts: Tensor
    converged: Tensor

    def logits(self, inputs: Tensor) -> Tensor:
        """Logits [M, N, K] of inputs [M, N, D] float64."""
        return torch.baddbmm(self.intercepts, inputs, self.weights)


def fit(inputs: Tensor, labels: Tensor, classes: int, penalty: float, iterations: int) -> Fit:
    """Minimise mean cross-entropy + penalty / 2 |W|^2, each regression by itself.

    W are the weights of standardised inputs (mean 0, deviation 1; those that do not vary count as
    0), so that the scale of a body's features does not decide how much they are penalised. It is
    scikit-learn's `LogisticRegression(C=1 / (N penalty))` after a `StandardScaler`, for three
    classes and more; of two it has a logistic regression, whose penalty is twice as high. L-BFGS
    with a memory of 10 goes by inputs that are whitened (a change of variables), which saves most
    of its steps.

    Args:
        inputs: [M, N, D] float64, finite.
        labels: [N] int64, below `classes`.
        classes: K.
        penalty: more than 0.
        iterations: at most.
    """
    mean = inputs.mean(dim=1, keepdim=True)
    deviation = inputs.std(dim=1, keepdim=True, correction=0)
    varies = deviation > 1e-12 * inputs.abs().amax(dim=1, keepdim=True)
    scale = torch.where(varies, 1 / deviation, 0.0)  # [M, 1, D]
    standard = (inputs - mean) * scale
    white, back = _whitened(standard, penalty)
    problem = _Problem(white, labels, classes, back.mT @ back, penalty)
    found, converged = minimise(problem, problem.origin, iterations)
    weights = scale.mT * (back @ found[:, :-1])
    return Fit(weights, found[:, -1:] - mean @ weights, converged)


def _whitened(standard: Tensor, penalty: float) -> tuple[Tensor, Tensor]:
    """Inputs Z L^-T of covariance about 1, and L^-T, for L L^T = Z^T Z / N + penalty."""
    size = standard.shape[2]
    one = torch.eye(size, dtype=standard.dtype, device=standard.device)
    factor = torch.linalg.cholesky(standard.mT @ standard / standard.shape[1] + penalty * one)
    back = torch.linalg.solve_triangular(factor, one.expand_as(factor), upper=False).mT
    return standard @ back, back


class _Problem:
    """Values [M] and gradients of penalised losses at variables [M, D + 1, K]."""

    def __init__(
        self, inputs: Tensor, labels: Tensor, classes: int, metric: Tensor, penalty: float
    ) -> None:
        """Of whitened inputs; the penalty of variables V is penalty / 2 tr(V^T metric V)."""
        models, samples, size = inputs.shape
        ones = inputs.new_ones(models, samples, 1)
        self._inputs = torch.cat([inputs, ones], dim=2)
        self._wanted = torch.nn.functional.one_hot(labels, classes).to(inputs)
        self._metric = penalty * torch.nn.functional.pad(metric, (0, 1, 0, 1))
        self.origin = inputs.new_zeros(models, size + 1, classes)

    def __call__(self, variables: Tensor) -> tuple[Tensor, Tensor]:
        logits = (self._inputs @ variables).log_softmax(dim=2)  # [M, N, K]
        samples = logits.shape[1]
        pulled = self._metric @ variables
        loss = -(logits * self._wanted).sum(dim=(1, 2)) / samples
        slope = self._inputs.mT @ (logits.exp() - self._wanted) / samples + pulled
        return loss + (variables * pulled).sum(dim=(1, 2)) / 2, slope


def minimise(
    problem: Callable[[Tensor], tuple[Tensor, Tensor]], origin: Tensor, iterations: int
) -> tuple[Tensor, Tensor]:
    """Minima of M convex functions by L-BFGS (Nocedal and Wright, algorithm 7.5).

    Each has a search direction and, by halving, a length of its step of its own; one that has
    converged stays where it is.

    Args:
        problem: from points [M, ...] to values [M] and gradients [M, ...].
        origin: [M, ...].
        iterations: at most.

    Returns:
        Points [M, ...], and of each whether its gradient is at most `SLOPE` everywhere.
    """
    at, (value, slope) = origin, problem(origin)
    steps: list[Tensor] = []
    changes: list[Tensor] = []
    for _ in range(iterations):
        active = _largest(slope) > SLOPE
        if not active.any():
            break
        direction = -_scaled(slope, steps, changes) * _wide(active, slope)
        before, old = at, slope
        at, value, slope = _stepped(problem, at, value, slope, direction)
        steps, changes = [*steps, at - before][-MEMORY:], [*changes, slope - old][-MEMORY:]
    return at, _largest(slope) <= SLOPE


def _stepped(
    problem: Callable[[Tensor], tuple[Tensor, Tensor]],
    at: Tensor,
    value: Tensor,
    slope: Tensor,
    direction: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """The points that halving finds, with values and gradients; where it finds none, the old."""
    promised = _ENOUGH * _dot(direction, slope)
    length = torch.ones_like(value)
    for _ in range(_HALVINGS):
        ahead = at + _wide(length, at) * direction
        reached, steeper = problem(ahead)
        good = reached <= value + length * promised
        if good.all():
            return ahead, reached, steeper
        length = torch.where(good, length, length / 2)
    # what is left differs by rounding alone
    return (
        torch.where(_wide(good, at), ahead, at),
        torch.where(good, reached, value),
        torch.where(_wide(good, at), steeper, slope),
    )


def _scaled(slope: Tensor, steps: list[Tensor], changes: list[Tensor]) -> Tensor:
    """The gradient times an estimate of the inverse Hessian, by the two loops of algorithm 7.4."""
    found, used = slope, []
    for step, change in zip(reversed(steps), reversed(changes), strict=True):
        curvature = _dot(step, change)
        inverse = torch.where(curvature > 0, 1 / curvature, 0.0)  # 0: it has not moved
        share = inverse * _dot(step, found)
        found = found - _wide(share, found) * change
        used.append((step, change, inverse, share))
    if used:
        step, change, inverse, _ = used[0]
        size = _dot(change, change) * inverse
        found = found * _wide(torch.where(size > 0, 1 / size, 1.0), found)
    for step, change, inverse, share in reversed(used):
        other = inverse * _dot(change, found)
        found = found + _wide(share - other, found) * step
    return found


def _dot(first: Tensor, second: Tensor) -> Tensor:
    return (first * second).flatten(1).sum(dim=1)


def _largest(slope: Tensor) -> Tensor:
    return slope.abs().flatten(1).amax(dim=1)


def _wide(values: Tensor, like: Tensor) -> Tensor:
    """Numbers [M] as [M, 1, ...]."""
    return values.view(-1, *[1] * (like.dim() - 1)).to(like)

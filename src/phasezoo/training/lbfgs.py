"""L-BFGS with a strong Wolfe line search, for a stack of models at once and for one module."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

import torch
from torch import Tensor, nn

from phasezoo.spec.base import SpecError
from phasezoo.spec.training import Lbfgs
from phasezoo.training import line_search
from phasezoo.training.curvature_pairs import CurvaturePairs, dots
from phasezoo.training.flat import FlatVector
from phasezoo.training.line_search import Search

# From parameters [N, P] to losses [N] and gradients [N, P].
LossesAndGradients = Callable[[Tensor], tuple[Tensor, Tensor]]
NUMBERS = line_search.COLUMNS + 1  # of a model: its search and its stage


class Stage(IntEnum):
    """Where a model is; from `CONVERGED` on it stays where it is."""

    FRESH = 0  # nothing is known of it yet
    SEARCHING = 1
    CONVERGED = 2  # a tolerance was reached
    STALLED = 3  # nothing lower was found along the steepest descent
    BROKEN = 4  # the loss or its gradient was not finite where it began


class StackedLbfgs:
    """Limited-memory BFGS (Nocedal and Wright 2006, algorithm 7.5) on every row of a matrix.

    Rows are models of their own: step lengths, pairs and stops. All of them share an evaluation,
    each at the point that its line search asks for. The iterates are those of
    ``torch.optim.LBFGS`` with ``line_search_fn="strong_wolfe"``, up to rounding, while no search
    fails. Then it goes another way: a search that finds nothing lower drops the pairs and tries
    the steepest descent; if that fails too, the model stays where it is.

    Attributes:
        points: the weights that were accepted last, [N, P]; `step` tries others.
        search: where the line searches are.
        stage: of every model (`Stage`), [N].
    """

    def __init__(self, spec: Lbfgs, points: Tensor, state: Tensor) -> None:
        """Begin at points [N, P], or go on from them with a `state` [N, spec.moments, P].

        Raises:
            ValueError: the learning rate is not set.
            SpecError: P is too small to store the search in.
        """
        if spec.learning_rate is None:
            raise ValueError("learning_rate: got None, allowed is a number greater than 0")
        if points.shape[1] < NUMBERS:
            allowed = f"at least {NUMBERS}, the numbers that lbfgs keeps of a search"
            raise SpecError(f"parameters: got {points.shape[1]}; allowed: {allowed}")
        self.spec, self.rate = spec, spec.learning_rate
        self.points = points.clone()
        by_vector = state.to(points).transpose(0, 1).clone(memory_format=torch.contiguous_format)
        m = spec.history
        self.pairs = CurvaturePairs(by_vector[:m], by_vector[m : 2 * m])
        self.gradients, self.directions, numbers = by_vector[2 * m :]
        self.search = Search.of(numbers[:, : NUMBERS - 1])
        self.stage: Tensor = numbers[:, NUMBERS - 1]

    @property
    def state(self) -> Tensor:
        """All that is needed to go on from `points`, [N, spec.moments, P]; zeros at the beginning.

        Pairs, gradients and directions, then a vector that begins with the numbers of the search.
        """
        numbers = torch.cat([self.search.table, self.stage[:, None]], dim=1)
        padded = nn.functional.pad(numbers, (0, self.points.shape[1] - NUMBERS))
        rest = torch.stack([self.gradients, self.directions, padded])
        by_vector = torch.cat([self.pairs.steps, self.pairs.changes, rest])
        return by_vector.transpose(0, 1)

    @property
    def losses(self) -> Tensor:
        """Loss at `points`, [N]; 0 before the first step."""
        return self.search.start.loss

    @property
    def active(self) -> Tensor:
        """Which models still move, [N]."""
        return self.stage < Stage.CONVERGED

    @torch.no_grad()
    def step(self, function: LossesAndGradients) -> None:
        """One evaluation of all models; each goes on with its search, or to the next iteration.

        Models that no longer move are evaluated where they are, and what is found is not used.
        """
        trials = self.points + self.search.step[:, None] * self.directions
        with torch.enable_grad():
            losses, gradients = (found.detach() for found in function(trials))
        slopes = dots(gradients, self.directions)[:, 0]
        least = self.spec.tolerance_change / self.directions.abs().amax(dim=1)
        verdict = line_search.advance(self.search, losses, slopes, least)
        fresh, searching = self.stage == Stage.FRESH, self.stage == Stage.SEARCHING
        finite = losses.isfinite() & slopes.isfinite()
        self._stop(fresh & ~finite, Stage.BROKEN)
        self.search = _either(searching, verdict.search, self.search)
        moved, failed = searching & verdict.accepted, searching & verdict.failed
        accepted = moved | (fresh & finite)
        found = _Found(trials - self.points, losses, gradients)
        curved = moved & self._curves(found)
        counts = torch.stack([curved, accepted, failed]).sum(dim=1).tolist()  # the one wait
        if counts[0]:
            everyone = counts[0] == len(curved)
            self.pairs.push(curved, found.steps, gradients - self.gradients, everyone)
        if counts[1]:
            self._accept(accepted, moved, trials, found)
        if counts[2]:
            self._stop(failed & ~self.pairs.some, Stage.STALLED)
            self.pairs.forget(failed)
        if counts[1] or counts[2]:
            self._begin(accepted | failed)

    def _curves(self, found: _Found) -> Tensor:
        """Whether pairs have a curvature above rounding, as all that satisfy Wolfe have."""
        measured = dots(found.steps, found.gradients - self.gradients)
        expected = -dots(found.steps, self.gradients)
        return (measured > torch.finfo(measured.dtype).eps * expected)[:, 0]

    def _accept(self, accepted: Tensor, moved: Tensor, trials: Tensor, found: _Found) -> None:
        """Take over accepted points, and stop where a tolerance is reached."""
        change = self.spec.tolerance_change
        near = found.steps.abs().amax(dim=1) <= change
        still = near | ((found.losses - self.losses).abs() < change)
        flat = found.gradients.abs().amax(dim=1) <= self.spec.tolerance_grad
        self.stage = torch.where(accepted, float(Stage.SEARCHING), self.stage)
        self._stop((accepted & flat) | (moved & still), Stage.CONVERGED)
        self.points = torch.where(accepted[:, None], trials, self.points)
        self.gradients = torch.where(accepted[:, None], found.gradients, self.gradients)
        losses = torch.where(accepted, found.losses, self.losses)
        self.search = self.search._replace(start=self.search.start._replace(loss=losses))

    def _begin(self, which: Tensor) -> None:
        """Begin a search along a new direction; where the model has stopped, it has none."""
        directions = self.pairs.direction(self.gradients)
        uphill = ~(dots(directions, self.gradients)[:, 0] < 0)  # by rounding
        directions = torch.where(uphill[:, None], -self.gradients, directions)
        slopes = dots(directions, self.gradients)[:, 0]
        self._stop(which & self.active & (slopes > -self.spec.tolerance_change), Stage.CONVERGED)
        plain = uphill | ~self.pairs.some  # of unknown length
        short = (1 / self.gradients.abs().sum(dim=1)).clamp(max=1)
        steps = self.rate * torch.where(plain, short, 1.0)
        goes = which & self.active
        begun = line_search.begin(self.losses, slopes, torch.where(goes, steps, 0.0))
        self.search = _either(which, begun, self.search)
        directions = torch.where(goes[:, None], directions, 0.0)
        self.directions = torch.where(which[:, None], directions, self.directions)

    def _stop(self, which: Tensor, stage: Stage) -> None:
        self.stage = torch.where(which, float(stage), self.stage)


class _Found(NamedTuple):
    """What an evaluation found: steps [N, P] from the accepted points, losses, gradients."""

    steps: Tensor
    losses: Tensor
    gradients: Tensor


class FlatLbfgs(FlatVector):
    """L-BFGS on a module whose parameters are views of one vector."""

    def __init__(self, module: nn.Module, spec: Lbfgs, state: Tensor) -> None:
        """Take over the parameters of `module`; `state` [spec.moments, P] is what it goes on from.

        Raises:
            ValueError, SpecError: see `StackedLbfgs`.
        """
        super().__init__(module)
        self.stack = StackedLbfgs(spec, self.vector[None], state[None])

    @property
    def state(self) -> Tensor:
        """Pairs, gradient, direction and search, [spec.moments, P]."""
        return self.stack.state[0]

    @property
    def active(self) -> bool:
        """Whether the model still moves."""
        return bool(self.stack.active[0])

    @property
    def loss(self) -> Tensor:
        """Of the accepted weights, []; not a number where it was not finite at the beginning."""
        broken = self.stack.stage[0] == Stage.BROKEN
        return torch.where(broken, torch.nan, self.stack.losses[0])

    def evaluate(self, backward: Callable[[], Tensor]) -> None:
        """One evaluation, after which the module has the accepted weights.

        Args:
            backward: adds the gradient of the loss to those of the parameters; returns the loss.
        """

        def function(points: Tensor) -> tuple[Tensor, Tensor]:
            self.vector.copy_(points[0])
            self.zero_grad()
            return backward()[None], self.gradient[None]

        self.stack.step(function)
        self.vector.copy_(self.stack.points[0])


def _either(which: Tensor, yes: Search, no: Search) -> Search:
    return Search.of(torch.where(which[:, None], yes.table, no.table))

"""Training of several models of one architecture by L-BFGS, as one program."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from phasezoo.spec.training import Lbfgs
from phasezoo.training.checkpoint import Checkpoint
from phasezoo.training.lbfgs import StackedLbfgs, Stage
from phasezoo.training.member import Member
from phasezoo.training.slopes import Slopes
from phasezoo.vocabulary import Status


class Searched:
    """N models on their way, each with a line search of its own; they share every evaluation.

    An epoch is one evaluation, as with one model (`training.train`). `run` and `checkpoint` are
    those of `stacked.Stacked`. Nothing is captured: the searches ask the device where they are.
    """

    def __init__(self, module: nn.Module, members: Sequence[Member]) -> None:
        """Members of one kind (`member.kind_of`)."""
        self.module, self.alive = module, [m.origin.status is Status.TRAINED for m in members]
        self._slopes = Slopes(module, members, epochs=1)
        self._stack = self._slopes.stack
        found = [m.optimisation.optimiser for m in members]
        specs = [spec for spec in found if isinstance(spec, Lbfgs)]
        moments = self._stack.moments.transpose(0, 1)
        self._search = StackedLbfgs(specs[0], self._stack.vectors.detach(), moments)
        self._search.rate = self._stack.vectors.new_tensor([s.learning_rate or 0.0 for s in specs])

    def run(self, epochs: int) -> Tensor:
        """Make so many evaluations; losses [N] of what was accepted, on the CPU."""
        self.module.train()
        for _ in range(epochs):
            if not bool(self._search.active.any()):
                break
            self._search.step(self._evaluated)
        self.module.eval()
        broken = self._search.stage == Stage.BROKEN
        losses: Tensor = torch.where(broken, torch.nan, self._search.losses).cpu()
        self._take(self._search.points)
        rows = zip(self.alive, losses.isfinite().tolist(), self._stack.finite(), strict=True)
        self.alive = [all(row) for row in rows]
        return losses

    def checkpoint(self, row: int, epoch: int) -> Checkpoint:
        """A member as it is now."""
        self._stack.moments.copy_(self._search.state.transpose(0, 1))
        return self._stack.checkpoint(row, epoch, self.alive[row])

    def _evaluated(self, points: Tensor) -> tuple[Tensor, Tensor]:
        self._take(points)
        gradients, sums = self._slopes.of(self._slopes.feed.samples)
        return sums / self._slopes.feed.samples, gradients

    @torch.no_grad()
    def _take(self, points: Tensor) -> None:
        self._stack.vectors.copy_(points)

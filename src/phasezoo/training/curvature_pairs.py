"""What limited-memory BFGS knows of the curvature: pairs of steps and changes of the gradient."""

from __future__ import annotations

import torch
from torch import Tensor


class CurvaturePairs:
    """The last m pairs of each of N models: steps s and changes of the gradient y, oldest first.

    Pairs are kept divided by the root of s.y, so that their product is 1: the recursion then needs
    no other number, and a pair of zeros, which stands for none, does nothing in it.
    """

    def __init__(self, steps: Tensor, changes: Tensor) -> None:
        """Go on from steps and changes, each [m, N, P]."""
        self.steps, self.changes = steps, changes
        used = (steps != 0).any(dim=2).any(dim=1)
        self.kept = int(used.sum())  # slots, from the last, beyond which no model has a pair

    @property
    def some(self) -> Tensor:
        """Whether there is a pair, [N]."""
        return (self.changes[-1] != 0).any(dim=1)

    def push(self, which: Tensor, steps: Tensor, changes: Tensor, everyone: bool) -> None:
        """Take in a pair [N, P] of some models [N], in the place of their oldest.

        Args:
            which: models; s.y is greater than 0.
            steps: s.
            changes: y.
            everyone: whether all models have one, which saves a pass over the memory.
        """
        size = dots(steps, changes).sqrt()
        self.kept = min(self.kept + 1, len(self.steps))
        for name, new in (("steps", steps / size), ("changes", changes / size)):
            old = getattr(self, name)
            moved = torch.cat([old[1:], new[None]])
            setattr(self, name, moved if everyone else torch.where(which[:, None], moved, old))

    def forget(self, which: Tensor) -> None:
        """Drop all pairs of some models [N]."""
        for kept in (self.steps, self.changes):
            kept.masked_fill_(which[:, None], 0.0)

    def direction(self, gradients: Tensor) -> Tensor:
        """-H g [N, P] of gradients g, with H the approximate inverse of the Hessian.

        The two loops of Nocedal and Wright 2006, algorithm 7.4, with (s.y / y.y) of the newest pair
        times the identity (eq. 7.20) as the first guess of H; -g where there is no pair.
        """
        found, parts = gradients.clone(), []
        slots = range(len(self.steps) - self.kept, len(self.steps))
        for slot in reversed(slots):
            parts.append(dots(self.steps[slot], found))
            found.addcmul_(self.changes[slot], parts[-1], value=-1)
        newest = dots(self.changes[-1], self.changes[-1])
        found.mul_(torch.where(newest > 0, 1 / newest, 1.0))
        for slot in slots:
            part = parts.pop() - dots(self.changes[slot], found)
            found.addcmul_(self.steps[slot], part)
        return found.neg_()


def dots(first: Tensor, second: Tensor) -> Tensor:
    """Products [N, 1] of the rows of two matrices [N, P]."""
    return (first * second).sum(dim=1, keepdim=True)

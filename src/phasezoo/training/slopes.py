"""Losses of a stack on its next batch, and their gradients."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from phasezoo.training.feed import Feed, judges
from phasezoo.training.layers import functions_of
from phasezoo.training.member import Member, own_of
from phasezoo.training.precision import casting, rounding
from phasezoo.training.stack import Stack


class Slopes:
    """The models of a population as rows, the data of each, and what a step is made of."""

    def __init__(self, module: nn.Module, members: Sequence[Member], epochs: int) -> None:
        """Members of one kind (`member.kind_of`), with tables for so many epochs at a time."""
        self.stack = Stack(module, [member.origin for member in members])
        how, tasks = members[0].optimisation, [member.task for member in members]
        batch = None if how.batch_size == "full" else how.batch_size
        names = [member.names for member in members]
        self.feed = Feed(tasks, names, batch, how.augmentation, epochs, own_of(members))
        self.seen = torch.zeros(1, dtype=torch.long, device=self.stack.vectors.device)
        self._at_once, self._precision = how.at_once or self.feed.samples, how.precision
        objectives = [task.objective for task in tasks]
        self._judge = judges(objectives, self.stack.vectors.detach())
        self._functions = functions_of(module, len(members))

    def of(self, size: int) -> tuple[Tensor, Tensor]:
        """Of the batch that is next, of so many samples: gradients [N, P], sums of losses [N].

        The gradients are those of the mean losses, summed over parts of the batch.
        """
        with rounding(self._precision, self.stack.vectors.device):
            return self._parts(size)

    def _parts(self, size: int) -> tuple[Tensor, Tensor]:
        gradients, sums = self._part(0, min(self._at_once, size), size)
        for start in range(self._at_once, size, self._at_once):
            more, further = self._part(start, min(start + self._at_once, size), size)
            gradients.add_(more)
            sums = sums + further
        return gradients, sums

    def _part(self, start: int, stop: int, size: int) -> tuple[Tensor, Tensor]:
        inputs, targets = self.feed.part(self.seen, start, stop)
        judge, function = self._judge(stop - start), self._functions(self.stack.tensors())
        with casting(self._precision, inputs.device):
            outputs = judge.outputs(function, inputs)
        losses = judge.losses(outputs.to(self.stack.vectors.dtype), targets)
        sums = losses.unflatten(0, (len(self.stack), -1)).sum(dim=1)
        (slopes,) = torch.autograd.grad(sums.sum() / size, self.stack.vectors)
        return slopes, sums.detach()

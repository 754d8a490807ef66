"""Training of several models of one architecture as one program."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from phasezoo.spec.training import Optimisation
from phasezoo.training.capture import Replays, Step
from phasezoo.training.checkpoint import Checkpoint
from phasezoo.training.feed import Feed, judges
from phasezoo.training.layers import functions_of
from phasezoo.training.member import Member
from phasezoo.training.precision import computing
from phasezoo.training.schedule import rates
from phasezoo.training.stack import Stack
from phasezoo.training.stack_update import update_of
from phasezoo.vocabulary import Status

_AT_ONCE = 256  # steps between two looks at the losses, where an epoch has fewer


class Stacked:
    """N models on their way: `run` takes them through some epochs, `checkpoints` are what they are.

    Row i of everything depends on the i-th member only: each has its own order, augmentation, rates
    and statistics, and one that diverges fills its own row with NaN. In exact arithmetic it is what
    `training.train` makes of the members one after the other; sums are made in another order.

    A step reads and writes fixed buffers, so that on a GPU it is captured once for each length of a
    batch, and replayed.
    """

    def __init__(self, module: nn.Module, members: Sequence[Member], last: int) -> None:
        """Members of one kind (`member.kind_of`), to be trained up to epoch `last`."""
        self.module, self.members, self.epoch = module, members, members[0].origin.epoch
        self.stack = Stack(module, [member.origin for member in members])
        self.alive = [member.origin.status is Status.TRAINED for member in members]
        how, tasks = members[0].optimisation, [member.task for member in members]
        batch = None if how.batch_size == "full" else how.batch_size
        samples = len(tasks[0].train_labels)
        self.stretch = max(1, _AT_ONCE // -(-samples // (batch or samples)))  # epochs
        names = [member.names for member in members]
        self.feed = Feed(tasks, names, batch, how.augmentation, self.stretch)
        self.at_once, self.precision = how.at_once or samples, how.precision
        like = self.stack.vectors.detach()
        self.judge = judges([task.objective for task in tasks], like)
        self.update = update_of([member.optimisation.optimiser for member in members], like)
        self.functions = functions_of(module, len(members))
        self.rates, self._whose = _rates(members, len(self.feed.batches), last)
        steps = self.stretch * len(self.feed.batches)
        self.table = like.new_zeros((steps, len(members), self.update.columns))
        self.losses = like.new_zeros((steps, len(members)))  # sums over batches
        self.taken, self.seen = (
            torch.zeros(1, dtype=torch.long, device=like.device) for _ in range(2)
        )
        self._places = torch.arange(steps, device=like.device)[:, None]
        self._replays = Replays([*self.stack.state, self.losses, self.taken, self.seen])
        self._steps: dict[int, Step] = {}

    def run(self, epochs: int) -> Tensor:
        """Train some epochs; the mean losses [N] of the last one, on the CPU."""
        means = torch.full((len(self.members),), torch.nan)
        while epochs > 0 and any(self.alive):
            now = min(epochs, self.stretch)
            self.begin(now)
            for size in self.feed.batches * now:
                self.step(size)
            means = self._end(now)
            epochs -= now
        self.epoch += epochs  # those that nobody was left for
        return means

    def begin(self, epochs: int) -> None:
        """Fill the tables of a stretch."""
        before = self.epoch - self.members[0].origin.epoch
        steps = len(self.feed.batches)
        part = self.rates[before * steps : (before + epochs) * steps, self._whose]  # [T, N, 2]
        table = self.update.table(part, first=self.epoch * steps)
        self.table[: len(table)] = table.to(self.table)
        self.feed.fill(range(self.epoch + 1, self.epoch + epochs + 1))
        self.taken.zero_()
        self.seen.zero_()
        self.module.train()

    def step(self, size: int) -> None:
        """Take the next step, on a batch of so many samples."""
        if size not in self._steps:
            self._steps[size] = self._replays.of(partial(self._step, size))
        self._steps[size]()

    def checkpoint(self, row: int, epoch: int) -> Checkpoint:
        """A member as it is now."""
        return self.stack.checkpoint(row, epoch, self.alive[row])

    def _end(self, epochs: int) -> Tensor:
        """Mean losses [N] of the last of some epochs, and who is left."""
        self.module.eval()
        steps = len(self.feed.batches)
        totals: Tensor = (
            self.losses[: epochs * steps].cpu().unflatten(0, (epochs, steps)).sum(dim=1)
        )
        finite = totals.isfinite().all(dim=0).tolist()
        rows = zip(self.alive, finite, self.stack.finite(), strict=True)
        self.alive = [all(row) for row in rows]
        self.epoch += epochs
        return totals[-1] / self.feed.samples

    def _step(self, size: int) -> None:
        vectors = self.stack.vectors
        gradients, sums = self._slopes(0, min(self.at_once, size), size)
        for start in range(self.at_once, size, self.at_once):
            more, further = self._slopes(start, min(start + self.at_once, size), size)
            gradients.add_(more)
            sums = sums + further
        with torch.no_grad():
            row = self.table.index_select(0, self.taken)[0]
            self.update.step(vectors, gradients, self.stack.moments, row)
            # an indexed write looks at its index, which a captured step cannot
            self.losses.copy_(torch.where(self._places == self.taken, sums, self.losses))
            self.taken.add_(1)
            self.seen.add_(size)

    def _slopes(self, start: int, stop: int, size: int) -> tuple[Tensor, Tensor]:
        """What a part of a batch adds to gradients [N, P], and losses [N] summed over it."""
        inputs, targets = self.feed.part(self.seen, start, stop)
        judge, function = self.judge(stop - start), self.functions(self.stack.tensors())
        with computing(self.precision, inputs.device):
            outputs = judge.outputs(function, inputs)
        losses = judge.losses(outputs.to(self.stack.vectors.dtype), targets)
        sums = losses.unflatten(0, (len(self.members), -1)).sum(dim=1)
        (slopes,) = torch.autograd.grad(sums.sum() / size, self.stack.vectors)
        return slopes, sums.detach()


def _rates(members: Sequence[Member], steps: int, last: int) -> tuple[Tensor, list[int]]:
    """Learning rates and momenta of every step, [T, K, 2] float64, and whose they are.

    Many members may have the same.
    """
    places: dict[Optimisation, int] = {}
    whose = [places.setdefault(member.optimisation, len(places)) for member in members]
    first = members[0].origin.epoch
    return torch.stack([rates(how, steps, first, last) for how in places], dim=1), whose

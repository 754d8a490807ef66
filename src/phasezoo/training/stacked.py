"""Training of several models of one architecture as one program."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from phasezoo.spec.training import Optimisation
from phasezoo.training.capture import Replays, Step
from phasezoo.training.checkpoint import Checkpoint
from phasezoo.training.member import Member
from phasezoo.training.schedule import rates
from phasezoo.training.slopes import Slopes
from phasezoo.training.stack_update import update_of
from phasezoo.training.train import steps_per_epoch
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
        self.alive = [member.origin.status is Status.TRAINED for member in members]
        self.stretch = max(1, _AT_ONCE // _steps_of_epoch(members[0]))  # epochs
        self._slopes = Slopes(module, members, self.stretch)
        self.stack, self.feed, self.seen = self._slopes.stack, self._slopes.feed, self._slopes.seen
        like, steps = self.stack.vectors.detach(), self.stretch * len(self.feed.batches)
        self.update = update_of([member.optimisation.optimiser for member in members], like)
        self.rates, self._whose = _rates(members, len(self.feed.batches), last)
        self.table = like.new_zeros((steps, len(members), self.update.columns))
        self.losses = like.new_zeros((steps, len(members)))  # sums over batches
        self.taken = torch.zeros_like(self.seen)
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
        gradients, sums = self._slopes.of(size)
        with torch.no_grad():
            row = self.table.index_select(0, self.taken)[0]
            self.update.step(self.stack.vectors, gradients, self.stack.moments, row)
            # an indexed write looks at its index, which a captured step cannot
            self.losses.copy_(torch.where(self._places == self.taken, sums, self.losses))
            self.taken.add_(1)
            self.seen.add_(size)


def _steps_of_epoch(member: Member) -> int:
    samples, batch = member.samples, member.optimisation.batch_size
    return steps_per_epoch(samples, batch if isinstance(batch, int) else samples)


def _rates(members: Sequence[Member], steps: int, last: int) -> tuple[Tensor, list[int]]:
    """Learning rates and momenta of every step, [T, K, 2] float64, and whose they are.

    Many members may have the same.
    """
    places: dict[Optimisation, int] = {}
    whose = [places.setdefault(member.optimisation, len(places)) for member in members]
    first = members[0].origin.epoch
    return torch.stack([rates(how, steps, first, last) for how in places], dim=1), whose

"""What a stack of models is given: batches from tables on the device, each model's by its names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from phasezoo import rng
from phasezoo.data.objective import Objective
from phasezoo.data.physics import Physics
from phasezoo.data.task import Task
from phasezoo.spec.training import Augmentation
from phasezoo.training.augment import drawn_in_turn, looked_up

Names = Sequence[tuple[str, ...]]


class Feed:
    """Batches of N models over stretches of epochs.

    A batch is a function of numbers that lie on the device, so that the same step gives the next
    one each time it is run. The order of samples and what augmentation does to them are drawn on
    the CPU, as in `training.train`, an epoch at a time.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        names: Names,
        batch: int | None,
        augmentation: Augmentation | None,
        epochs: int,
        own: Tensor | None = None,
    ) -> None:
        """Tasks with the same inputs.

        Args:
            tasks: of each model.
            names: of each model.
            batch: samples of a batch; None: all at once.
            augmentation: of the images, if any.
            epochs: of a stretch.
            own: [N, S] positions of the samples that each model sees; None: all.
        """
        self.task, self.names, self.augmentation = tasks[0], names, augmentation
        self.samples = len(tasks[0].train_labels) if own is None else own.shape[1]
        self.batch = batch or self.samples
        self.targets = _shared([task.train_labels for task in tasks])  # [1 or N, S, ...]
        self.own = None if own is None else self._device(own)
        shape, device = (len(names), epochs * self.samples), self.targets.device
        self.order = torch.zeros(shape, dtype=torch.long, device=device) if batch else None
        self.plans = (
            torch.zeros((*shape, 9), dtype=torch.int32, device=device) if augmentation else None
        )

    @property
    def batches(self) -> list[int]:
        """Samples of each batch of an epoch; the last may be short."""
        full, rest = divmod(self.samples, self.batch)
        return [self.batch] * full + [rest] * (rest > 0)

    def fill(self, epochs: range) -> None:
        """Draw the tables of some epochs."""
        for row, names in enumerate(self.names):
            for part, epoch in enumerate(epochs):
                here = slice(part * self.samples, (part + 1) * self.samples)
                if self.order is not None:
                    chance = rng.generator(*names, "order", epoch)
                    order = self._device(torch.randperm(self.samples, generator=chance))
                    self.order[row, here] = order if self.own is None else self.own[row, order]
                if self.plans is not None and self.augmentation is not None:
                    chance = rng.generator(*names, "augment", epoch)
                    size = self.task.train_inputs.shape[2:]
                    plans = drawn_in_turn(self.batches, size, self.augmentation, chance)
                    self.plans[row, here] = self._device(plans.int())

    def part(self, seen: Tensor, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """Inputs and targets [N n, ...] of samples `start` to `stop` of the batch that is next.

        Args:
            seen: [1] int64, samples of the stretch before this batch.
            start: of the part, in the batch.
            stop: of the part, in the batch.
        """
        models, device = len(self.names), seen.device
        here = torch.arange(start, stop, device=device)
        if self.order is not None:
            chosen = self.order.index_select(1, seen + here)  # [N, n]
        elif self.own is not None:
            chosen = self.own[:, start:stop]
        else:
            chosen = here.expand(models, -1)
        inputs = self.task.train_inputs[chosen.flatten()]
        if self.plans is not None:
            plans = self.plans.index_select(1, seen + here).flatten(0, 1)
            inputs = looked_up(inputs, plans, self.task.black)
        if len(self.targets) == 1:
            return inputs, self.targets[0][chosen.flatten()]
        rows = torch.arange(models, device=device)[:, None]
        return inputs, self.targets[rows, chosen].flatten(0, 1)

    def _device(self, table: Tensor) -> Tensor:
        return table.to(self.targets.device, non_blocking=True)


def _shared(targets: Sequence[Tensor]) -> Tensor:
    """[1, S, ...] where all are the same, else [N, S, ...]."""
    first = targets[0]
    same = all(other is first or torch.equal(other, first) for other in targets)
    return first[None] if same else torch.stack(list(targets))


def judges(objectives: Sequence[Objective], like: Tensor) -> Callable[[int], Objective]:
    """The objective of a stack for so many rows of each model.

    Equations may differ in their coefficients, which become one of each row.
    """
    first = objectives[0]
    if not isinstance(first, Physics) or all(other == first for other in objectives):
        return lambda rows: first
    found = [other.equation.coefficient for other in objectives if isinstance(other, Physics)]
    coefficients = like.new_tensor(found)[:, None]

    def judge(rows: int) -> Objective:
        column = coefficients.expand(-1, rows).reshape(-1, 1)
        return replace(first, equation=replace(first.equation, coefficient=column))

    return judge

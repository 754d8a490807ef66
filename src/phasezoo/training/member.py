"""One model of a population, and which of them can be one program."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from phasezoo.data.task import Task
from phasezoo.spec.training import Optimisation
from phasezoo.training.checkpoint import Checkpoint


@dataclass(frozen=True)
class Member:
    """A model to train: its names, which seed its generators, its data, how, and from where.

    `seen` are the positions of the training samples that it sees, on the device; None: all.
    """

    names: tuple[str, ...]
    task: Task
    optimisation: Optimisation  # with learning rate, weight decay and batch size set
    origin: Checkpoint
    seen: Tensor | None = None

    @property
    def samples(self) -> int:
        """Number of training samples that it sees."""
        return len(self.task.train_labels if self.seen is None else self.seen)


_OWN = ("learning_rate", "weight_decay", "momentum")  # what each model of a stack has for itself


def kind_of(member: Member) -> Hashable:
    """Equal for members of one architecture that can take each step together.

    They have the same inputs, batch size and parts, optimiser and augmentation, see as many
    samples, and start from the same epoch. Learning rates, weight decays, momenta, schedules,
    labels, the samples that are seen and the coefficients of an equation may differ.
    """
    how, task = member.optimisation, member.task
    optimiser = how.optimiser.model_copy(update=dict.fromkeys(_OWN))
    shared = how.model_copy(update={"optimiser": optimiser, "schedule": None})
    kinds = (type(task.objective), type(getattr(task.objective, "equation", None)))
    return shared, kinds, task.train_inputs.data_ptr(), member.samples, member.origin.epoch


def alike(members: Sequence[Member]) -> list[list[int]]:
    """Positions of members, grouped by `kind_of` in the order in which kinds appear."""
    groups: dict[Hashable, list[int]] = {}
    for position, member in enumerate(members):
        groups.setdefault(kind_of(member), []).append(position)
    return list(groups.values())


def own_of(members: Sequence[Member]) -> Tensor | None:
    """Positions [N, n] of the samples that members of one kind see; None where all see all."""
    if all(member.seen is None for member in members):
        return None
    everything = torch.arange(members[0].samples)
    found = [everything if member.seen is None else member.seen for member in members]
    return torch.stack([positions.to(everything.device) for positions in found])

"""A linear probe: what the body of a model is worth on another task as it is."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from phasezoo.data.task import Task
from phasezoo.models.build import build
from phasezoo.models.flat import parameter_layout
from phasezoo.spec.architecture import Architecture
from phasezoo.spec.transfer import FineTuning
from phasezoo.training.member import Member
from phasezoo.transfer.fine_tune import Model, error_of, names_of, origins
from phasezoo.transfer.held import train_held


def probe(
    architecture: Architecture,
    models: Sequence[Model],
    first_classes: int,
    task: Task,
    options: FineTuning,
    device: torch.device,
) -> list[float]:
    """Test errors of models of which nothing but the head is trained on `task`.

    It is fine-tuning (`fine_tune.transfer`) with the body held: the same start, order and budget.
    Normalisation goes by the statistics of the first task, since they are of the body.

    Args:
        architecture: of the models.
        models: weights, and names that seed the head and the order.
        first_classes: number of classes of the first task.
        task: the second task, with inputs of the same shape.
        options: how to train.
        device: where to train.
    """
    module = build(architecture, task.shape, task.classes).to(device)
    members = []
    for weights, of_model in models:
        names = names_of(of_model, task)
        origin, _ = origins(architecture, weights, first_classes, task, options, names)
        members.append(Member(names, task, options.optimisation, origin))
    free = head_of(module).expand(len(members), -1)
    last = train_held(module, members, free, options.fine_tune_epochs, still=True)
    return [error_of(module, one, task) for one in last]


def head_of(module: nn.Module) -> torch.Tensor:
    """Which parameters [P] are those of the head."""
    slots = parameter_layout(module).slots
    return torch.cat([torch.full((s.size,), s.name.startswith("head.")) for s in slots])

"""Fine-tuning on a second task, against training on it from scratch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from phasezoo import rng
from phasezoo.data.task import Task
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import Weights, load_weights
from phasezoo.spec.architecture import Architecture
from phasezoo.spec.transfer import FineTuning
from phasezoo.training.checkpoint import Checkpoint
from phasezoo.training.evaluate import evaluate
from phasezoo.training.member import Member
from phasezoo.training.population import train_population
from phasezoo.training.train import start
from phasezoo.transfer.together import together
from phasezoo.vocabulary import Status


@dataclass(frozen=True)
class Gain:
    """Test errors on the second task; not a number where a training diverged."""

    fine_tuned_error: float
    scratch_error: float

    @property
    def gain(self) -> float:
        """Error from scratch minus error after fine-tuning; positive: the first task helped."""
        return self.scratch_error - self.fine_tuned_error


Model = tuple[Weights, tuple[str, ...]]  # trained on the first task, and the names of it


def transfer(
    architecture: Architecture,
    models: Sequence[Model],
    first_classes: int,
    task: Task,
    options: FineTuning,
    device: torch.device,
) -> list[Gain]:
    """Train each model on `task` twice: from its weights, and from fresh weights.

    Both runs see the samples in the same order and have the same budget. A fresh head is the same
    in both. Networks of linear layers are trained together, by a rule and not by a measurement, so
    that results are the same on every machine of a kind.

    Args:
        architecture: of the models.
        models: weights, and names that seed the head, the fresh body and the order.
        first_classes: number of classes of the first task.
        task: the second task, with inputs of the same shape.
        options: how to train.
        device: where to train.

    Raises:
        ValueError: the head is to be kept, but the tasks have different numbers of classes.
    """
    if options.head == "kept" and first_classes != task.classes:
        raise ValueError(
            f"{options.family}.head: got kept with {first_classes} and {task.classes} classes, "
            "allowed is fresh"
        )
    module = build(architecture, task.shape, task.classes)
    how = options.optimisation
    if how.stack == "measured" and device.type == "cpu":
        size = together(module, task, how, 2 * len(models))
        how = how.model_copy(update={"stack": "one" if size == 1 else size})
    members = []
    for weights, of_model in models:
        names = names_of(of_model, task)
        both = origins(architecture, weights, first_classes, task, options, names)
        members += [Member(names, task, how, origin) for origin in both]
    trained = train_population(module.to(device), members, (options.fine_tune_epochs,))
    errors = [error_of(module, last, task) for (last,) in trained.checkpoints]
    return [Gain(*pair) for pair in zip(errors[::2], errors[1::2], strict=True)]


def names_of(model: tuple[str, ...], task: Task) -> tuple[str, ...]:
    """What seeds all chance of a model on another task: head, fresh body and order."""
    return (*model, "transfer", task.name)


def origins(
    architecture: Architecture,
    weights: Weights,
    first_classes: int,
    task: Task,
    options: FineTuning,
    names: tuple[str, ...],
) -> tuple[Checkpoint, Checkpoint]:
    """Where fine-tuning starts, and where training from scratch does."""
    moments = options.optimisation.optimiser.moments
    module = build(architecture, task.shape, task.classes)
    initialise(module, rng.generator(*names, "init"))
    scratch = start(module, moments)
    trained = load_weights(build(architecture, task.shape, first_classes), weights)
    _copy(trained, module, head=options.head == "kept")
    return start(module, moments), scratch


def _copy(trained: nn.Module, fresh: nn.Module, head: bool) -> None:
    """Copy weights, the head (which every architecture here calls `head`) only where asked."""
    copied = {k: v for k, v in trained.state_dict().items() if head or not k.startswith("head.")}
    fresh.load_state_dict(copied, strict=head)


def error_of(module: nn.Module, last: Checkpoint, task: Task) -> float:
    """Test error of a model that was trained; not a number if it diverged."""
    if last.status is not Status.TRAINED:
        return float("nan")
    load_weights(module, last.weights)
    found = evaluate(
        lambda inputs: task.objective.outputs(module, inputs),
        task.test_inputs,
        task.test_labels,
        task.objective,
    )
    return found.error

"""Fine-tuning on a second task, against training on it from scratch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from phasezoo import rng
from phasezoo.data.task import Task
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import Weights, load_weights
from phasezoo.spec.architecture import Architecture
from phasezoo.spec.metrics import Transfer
from phasezoo.training.evaluate import evaluate
from phasezoo.training.train import start, train
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


def transfer(
    architecture: Architecture,
    weights: Weights,
    first_classes: int,
    task: Task,
    options: Transfer,
    names: tuple[str, ...],
    device: torch.device,
) -> Gain:
    """Train a model on `task` twice: from `weights`, and from fresh weights.

    Both runs see the samples in the same order and have the same budget. A fresh head is the same
    in both.

    Args:
        architecture: of the model.
        weights: trained on the first task.
        first_classes: number of classes of the first task.
        task: the second task, with inputs of the same shape.
        options: how to train.
        names: of the model; seed the head, the fresh body and the order.
        device: where to train.

    Raises:
        ValueError: the head is to be kept, but the tasks have different numbers of classes.
    """
    if options.head == "kept" and first_classes != task.classes:
        raise ValueError(
            f"transfer.head: got kept with {first_classes} and {task.classes} classes, "
            "allowed is fresh"
        )
    names = (*names, "transfer", task.name)
    scratch = build(architecture, task.shape, task.classes)
    initialise(scratch, rng.generator(*names, "init"))
    tuned = build(architecture, task.shape, task.classes)
    tuned.load_state_dict(scratch.state_dict())
    trained = load_weights(build(architecture, task.shape, first_classes), weights)
    _copy(trained, tuned, head=options.head == "kept")
    return Gain(
        fine_tuned_error=_trained_error(tuned.to(device), task, options, names),
        scratch_error=_trained_error(scratch.to(device), task, options, names),
    )


def _copy(trained: nn.Module, fresh: nn.Module, head: bool) -> None:
    """Copy weights, the head (which every architecture here calls `head`) only where asked."""
    copied = {k: v for k, v in trained.state_dict().items() if head or not k.startswith("head.")}
    fresh.load_state_dict(copied, strict=head)


def _trained_error(
    module: nn.Module, task: Task, options: Transfer, names: tuple[str, ...]
) -> float:
    epochs = (options.fine_tune_epochs,)
    origin = start(module, options.optimisation.optimiser.moments)
    (last,) = train(module, task, options.optimisation, names, origin, epochs)
    if last.status is not Status.TRAINED:
        return float("nan")
    found = evaluate(
        lambda inputs: task.objective.outputs(module, inputs),
        task.test_inputs,
        task.test_labels,
        task.objective,
    )
    return found.error

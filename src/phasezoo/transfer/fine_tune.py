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
from phasezoo.spec.metrics import Transfer
from phasezoo.spec.training import Optimisation
from phasezoo.training.checkpoint import Checkpoint
from phasezoo.training.choice import LEAST, even
from phasezoo.training.evaluate import evaluate
from phasezoo.training.member import Member
from phasezoo.training.population import train_population
from phasezoo.training.train import start
from phasezoo.vocabulary import Status

MUCH = 10_000_000  # parameters times samples of a step, beyond which a deeper stack gains nothing


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
    options: Transfer,
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
            f"transfer.head: got kept with {first_classes} and {task.classes} classes, "
            "allowed is fresh"
        )
    module = build(architecture, task.shape, task.classes)
    how = options.optimisation
    if how.stack == "measured" and device.type == "cpu":
        how = how.model_copy(update={"stack": _together(module, task, how, 2 * len(models))})
    members = []
    for weights, of_model in models:
        names = (*of_model, "transfer", task.name)
        both = _origins(architecture, weights, first_classes, task, options, names)
        members += [Member(names, task, how, origin) for origin in both]
    trained = train_population(module.to(device), members, (options.fine_tune_epochs,))
    errors = [_error(module, last, task) for (last,) in trained.checkpoints]
    return [Gain(*pair) for pair in zip(errors[::2], errors[1::2], strict=True)]


def _together(module: nn.Module, task: Task, how: Optimisation, models: int) -> int | str:
    """How many to train as one: as many as still gain by it (`benchmarks/population.py`).

    Stacked convolutions gain or lose by their size and the machine: they are left alone.
    """
    convolves = any(isinstance(layer, nn.Conv2d) for layer in module.modules())
    samples = len(task.train_labels)
    batch = samples if how.batch_size in ("full", None) else min(int(how.batch_size), samples)
    work = batch * sum(p.numel() for p in module.parameters())
    together = even(models, min(models, MUCH // max(1, work)))
    return "one" if convolves or together < LEAST["cpu"] else together


def _origins(
    architecture: Architecture,
    weights: Weights,
    first_classes: int,
    task: Task,
    options: Transfer,
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


def _error(module: nn.Module, last: Checkpoint, task: Task) -> float:
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

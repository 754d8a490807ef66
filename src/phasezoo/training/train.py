"""Training one model from one checkpoint to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import nn
from torch.nn import functional

from phasezoo import rng
from phasezoo.data.task import Task
from phasezoo.models.flat import Weights, weights_of
from phasezoo.spec.training import Optimisation
from phasezoo.training.augment import augmented
from phasezoo.training.checkpoint import Checkpoint
from phasezoo.training.schedule import rates
from phasezoo.training.sgd import FlatSgd
from phasezoo.vocabulary import Status

Report = Callable[[int, float], None]


def steps_per_epoch(samples: int, batch_size: int) -> int:
    """Number of batches in an epoch; the last may be short."""
    return -(-samples // batch_size)


def start(module: nn.Module) -> Checkpoint:
    """Epoch 0: the weights that a module has, and no momentum."""
    weights = weights_of(module)
    return Checkpoint(0, weights, torch.zeros_like(weights.parameters), Status.TRAINED)


def train(
    module: nn.Module,
    task: Task,
    optimisation: Optimisation,
    names: tuple[str, ...],
    origin: Checkpoint,
    epochs: tuple[int, ...],
    report: Report = lambda epoch, loss: None,
) -> Iterator[Checkpoint]:
    """Train in place and yield a checkpoint at each of `epochs`.

    SGD on the mean cross-entropy of a batch; every epoch sees each sample once, in an order drawn
    from (*names, "order", epoch), and disturbed by numbers from (*names, "augment", epoch) where
    the optimisation has an augmentation. A loss that is not finite ends the training: the remaining
    checkpoints carry NaN and the status `DIVERGED`.

    Args:
        module: holding the weights of `origin`, on the task's device.
        task: the data.
        optimisation: with learning rate, weight decay and batch size set.
        names: of the model; seeds its generators.
        origin: the checkpoint to go on from.
        epochs: increasing; those up to `origin.epoch` other than itself are not yielded.
        report: called after every epoch with its number and mean training loss.

    Raises:
        ValueError: the batch size is not set.
    """
    if optimisation.batch_size is None:
        raise ValueError("batch_size: got None, allowed is a whole number greater than 0")
    run = _Run(module, task, optimisation, names, origin, last=epochs[-1])
    if origin.epoch in epochs:
        yield origin
    for epoch in range(origin.epoch + 1, epochs[-1] + 1):
        if run.alive:
            report(epoch, run.epoch(epoch))
        if epoch in epochs:
            yield run.checkpoint(epoch)


class _Run:
    """The state of one training: module, optimiser and the rates of the epochs to come."""

    def __init__(
        self,
        module: nn.Module,
        task: Task,
        optimisation: Optimisation,
        names: tuple[str, ...],
        origin: Checkpoint,
        last: int,
    ) -> None:
        self.module, self.task, self.names = module, task, names
        self.batch_size = optimisation.batch_size or 0
        self.augmentation = optimisation.augmentation
        self.steps = steps_per_epoch(len(task.train_labels), self.batch_size)
        self.first = origin.epoch
        self.rates = rates(optimisation, self.steps, self.first, last).tolist()
        self.alive = origin.status is Status.TRAINED
        self.optimiser = FlatSgd(module, optimisation.optimiser, origin.momentum)

    def epoch(self, epoch: int) -> float:
        """Train one epoch; returns its mean loss."""
        table = self.rates[(epoch - 1 - self.first) * self.steps :][: self.steps]
        chance = rng.generator(*self.names, "order", epoch)
        disturbance = rng.generator(*self.names, "augment", epoch)
        samples = len(self.task.train_labels)
        order = torch.randperm(samples, generator=chance).to(self.task.train_labels.device)
        total = torch.zeros((), device=order.device)
        self.module.train()
        for chosen, (rate, momentum) in zip(order.split(self.batch_size), table, strict=True):
            inputs = self.task.train_inputs[chosen]
            if self.augmentation:
                inputs = augmented(inputs, self.augmentation, self.task.black, disturbance)
            logits = self.module(inputs)
            loss = functional.cross_entropy(logits, self.task.train_labels[chosen])
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step(rate, momentum)
            total += loss.detach() * len(chosen)
        self.module.eval()
        self.alive = bool(total.isfinite() & self.optimiser.vector.isfinite().all())
        return total.item() / samples

    def checkpoint(self, epoch: int) -> Checkpoint:
        """The model as it is now."""
        momentum = self.optimiser.momentum.cpu().clone()
        found = Checkpoint(epoch, weights_of(self.module), momentum, Status.TRAINED)
        self.alive = self.alive and found.weights.finite  # statistics may diverge by themselves
        return found if self.alive else _diverged(found)


def _diverged(checkpoint: Checkpoint) -> Checkpoint:
    nothing = Weights(
        torch.full_like(checkpoint.weights.parameters, torch.nan),
        torch.full_like(checkpoint.weights.buffers, torch.nan),
    )
    return replace(checkpoint, weights=nothing, status=Status.DIVERGED)

"""Training one model from one checkpoint to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from phasezoo import rng
from phasezoo.data.task import Task
from phasezoo.models.flat import weights_of
from phasezoo.spec.training import AdamW, Lbfgs, Optimisation, Optimiser, Sgd
from phasezoo.training.adam import FlatAdamW
from phasezoo.training.augment import augmented
from phasezoo.training.checkpoint import Checkpoint, diverged
from phasezoo.training.flat import FlatStepper
from phasezoo.training.lbfgs import FlatLbfgs
from phasezoo.training.precision import casting, rounding
from phasezoo.training.schedule import rates
from phasezoo.training.sgd import FlatSgd
from phasezoo.vocabulary import Status

Report = Callable[[int, float], None]


def steps_per_epoch(samples: int, batch_size: int) -> int:
    """Number of batches in an epoch; the last may be short."""
    return -(-samples // batch_size)


def start(module: nn.Module, moments: int = 1) -> Checkpoint:
    """Epoch 0: the weights that a module has, and no momentum.

    Args:
        module: with initial weights.
        moments: vectors that the optimiser carries along (`spec.training.Optimiser.moments`).
    """
    weights = weights_of(module)
    state = torch.zeros(moments, len(weights.parameters))
    return Checkpoint(0, weights, state, Status.TRAINED)


def train(
    module: nn.Module,
    task: Task,
    optimisation: Optimisation,
    names: tuple[str, ...],
    origin: Checkpoint,
    epochs: tuple[int, ...],
    report: Report = lambda epoch, loss: None,
    seen: Tensor | None = None,
) -> Iterator[Checkpoint]:
    """Train in place and yield a checkpoint at each of `epochs`.

    The mean loss of a batch is minimised; every epoch sees each of the model's samples once, in an
    order drawn from (*names, "order", epoch), or all at once, and disturbed by numbers from
    (*names, "augment", epoch) where the optimisation has an augmentation. With L-BFGS an epoch is
    an evaluation, and a model that has converged stays as it is. A loss that is not finite ends
    the training: the remaining checkpoints carry NaN and the status `DIVERGED`.

    Args:
        module: holding the weights of `origin`, on the task's device.
        task: the data.
        optimisation: with learning rate, weight decay and batch size set.
        names: of the model; seeds its generators.
        origin: the checkpoint to go on from.
        epochs: increasing; those up to `origin.epoch` other than itself are not yielded.
        report: called after every epoch with its number and mean training loss.
        seen: positions of the training samples that the model sees, on the device; None: all.

    Raises:
        ValueError: the batch size is not set.
    """
    if optimisation.batch_size is None:
        raise ValueError("batch_size: got None, allowed is a whole number greater than 0")
    run = Run(module, task, optimisation, names, origin, epochs[-1], seen)
    if origin.epoch in epochs:
        yield origin
    for epoch in range(origin.epoch + 1, epochs[-1] + 1):
        if run.alive:
            report(epoch, run.epoch(epoch))
        if epoch in epochs:
            yield run.checkpoint(epoch)


class Run:
    """The state of one training: module, optimiser and the rates of the epochs to come."""

    def __init__(
        self,
        module: nn.Module,
        task: Task,
        optimisation: Optimisation,
        names: tuple[str, ...],
        origin: Checkpoint,
        last: int,
        seen: Tensor | None = None,
    ) -> None:
        self.module, self.task, self.names, self.seen = module, task, names, seen
        self.samples = samples = len(task.train_labels if seen is None else seen)
        given = optimisation.batch_size or 0
        self.full = given == "full"
        self.batch_size = samples if given == "full" else given
        self.augmentation, self.precision = optimisation.augmentation, optimisation.precision
        self.at_once = optimisation.at_once or self.batch_size
        self.steps = steps_per_epoch(samples, self.batch_size)
        self.first = origin.epoch
        searches = isinstance(optimisation.optimiser, Lbfgs)  # for the length of each step
        self.rates = [] if searches else rates(optimisation, self.steps, self.first, last).tolist()
        self.alive = origin.status is Status.TRAINED
        taken = origin.epoch * self.steps
        self.optimiser = _optimiser(module, optimisation.optimiser, origin.state, taken)

    def epoch(self, epoch: int) -> float:
        """Train one epoch; returns its mean loss."""
        self.module.train()
        match self.optimiser:
            case FlatLbfgs() as search:
                loss = self._searched(search)
            case FlatStepper() as stepper:
                losses = self.steps_of(stepper, epoch)
                loss = sum(losses, torch.zeros((), device=self.task.train_labels.device))
                loss = loss / self.samples
        self.module.eval()
        self.alive = bool(loss.isfinite() & self.optimiser.vector.isfinite().all())
        return loss.item()

    def steps_of(self, optimiser: FlatStepper, epoch: int) -> Iterator[Tensor]:
        """Take the steps of an epoch; the losses of each batch before it, summed over samples."""
        table = self.rates[(epoch - 1 - self.first) * self.steps :][: self.steps]
        disturbance = rng.generator(*self.names, "augment", epoch)
        for (inputs, targets), (rate, momentum) in zip(self._batches(epoch), table, strict=True):
            if self.augmentation:
                inputs = augmented(inputs, self.augmentation, self.task.black, disturbance)
            optimiser.zero_grad()
            yield self._backward(inputs, targets) * len(targets)
            optimiser.step(rate, momentum)

    def _searched(self, optimiser: FlatLbfgs) -> Tensor:
        """An evaluation of the line search; the loss of the weights it has accepted."""
        inputs, targets = self._everything()
        if optimiser.active:
            optimiser.evaluate(lambda: self._backward(inputs, targets))
        return optimiser.loss

    def _backward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """The mean loss of a batch; its gradient is added to those of the parameters."""
        parts = zip(inputs.split(self.at_once), targets.split(self.at_once), strict=True)
        total = torch.zeros((), dtype=self.optimiser.vector.dtype, device=targets.device)
        for some, wanted in parts:
            with rounding(self.precision, inputs.device):
                loss = self._loss(some, wanted)
                part = loss if len(wanted) == len(targets) else loss * (len(wanted) / len(targets))
                part.backward()
            total += part.detach()
        return total

    def _loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        with casting(self.precision, inputs.device):
            outputs = self.task.objective.outputs(self.module, inputs)
        return self.task.objective.loss(outputs.to(self.optimiser.vector.dtype), targets)

    def _batches(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Inputs and targets of every batch of an epoch."""
        if self.full:  # in any order the same, but for rounding
            yield self._everything()
            return
        inputs, targets = self.task.train_inputs, self.task.train_labels
        chance = rng.generator(*self.names, "order", epoch)
        order = torch.randperm(self.samples, generator=chance).to(targets.device)
        for chosen in (order if self.seen is None else self.seen[order]).split(self.batch_size):
            yield inputs[chosen], targets[chosen]

    def _everything(self) -> tuple[Tensor, Tensor]:
        """Inputs and targets of all samples that the model sees."""
        inputs, targets = self.task.train_inputs, self.task.train_labels
        return (inputs, targets) if self.seen is None else (inputs[self.seen], targets[self.seen])

    def checkpoint(self, epoch: int) -> Checkpoint:
        """The model as it is now."""
        state = self.optimiser.state.cpu().clone()
        found = Checkpoint(epoch, weights_of(self.module), state, Status.TRAINED)
        self.alive = self.alive and found.weights.finite  # statistics may diverge by themselves
        return found if self.alive else diverged(found)


def _optimiser(
    module: nn.Module, spec: Optimiser, state: Tensor, steps: int
) -> FlatStepper | FlatLbfgs:
    """The optimiser of a spec, going on from a state after so many steps."""
    match spec:
        case Sgd():
            return FlatSgd(module, spec, state[0])
        case AdamW():
            return FlatAdamW(module, spec, state, steps)
        case Lbfgs():
            return FlatLbfgs(module, spec, state)

"""Tuning networks from a start, or from bodies near it: whole, by their biases, or by the head."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.models.flat import Weights, load_weights, weights_of
from phasezoo.spec.training import Optimisation
from phasezoo.training.checkpoint import Checkpoint
from phasezoo.training.evaluate import Score, evaluate
from phasezoo.training.member import Member
from phasezoo.training.population import train_population
from phasezoo.training.train import start as untrained
from phasezoo.transfer.regions.frozen import Trained, freeze, thawed
from phasezoo.transfer.regions.start import Start, StartError
from phasezoo.transfer.together import together
from phasezoo.vocabulary import Status

UNKNOWN = Score(float("nan"), float("nan"))


@dataclass(frozen=True)
class Run:
    """One network to tune.

    Attributes:
        task: what it is tuned to.
        names: seed its head and the order of its samples. Runs of the same names differ in their
            bodies alone.
        body: where it starts, [D]; None: at the body of the start.
    """

    task: Task
    names: tuple[str, ...]
    body: Tensor | None = None


@dataclass(frozen=True)
class Tuned:
    """A tuned network: all its weights, its test score and what became of it.

    The score is not a number where the training diverged.
    """

    weights: Weights
    test: Score
    status: Status


def fine_tuned(
    start: Start,
    runs: Sequence[Run],
    epochs: int,
    optimisation: Optimisation,
    trained: Trained = "all",
    device: torch.device | None = None,
) -> list[Tuned]:
    """Tune networks, each with a fresh head.

    Heads are drawn from (*names, "init"), the order of samples from (*names, "order", epoch). All
    take the same number of epochs. Networks of one number of classes that see the same samples are
    trained as one program where that gains, by a rule and not by a measurement, so that results are
    the same on every machine of a kind. Networks with normalisation statistics start from those of
    their training samples, and keep them up to date whatever is trained.

    Args:
        start: the pre-trained network.
        runs: what is tuned to what, in any order.
        epochs: of each.
        optimisation: how, with learning rate, weight decay and batch size set.
        trained: all parameters, all biases and the head (BitFit), or the head alone; everything
            else keeps its bits.
        device: where to train; None: the CPU.

    Raises:
        StartError: inputs of a task are not those of the start, or a task has no classes.
    """
    device = device or torch.device("cpu")
    for run in runs:
        _check(start, run.task)
    found: dict[int, Tuned] = {}
    for classes in dict.fromkeys(run.task.classes for run in runs):
        places = [place for place, run in enumerate(runs) if run.task.classes == classes]
        here = [runs[place] for place in places]
        tuned = _tuned(start, here, epochs, optimisation, trained, device)
        found |= dict(zip(places, tuned, strict=True))
    return [found[place] for place in range(len(runs))]


def _check(start: Start, task: Task) -> None:
    if not task.objective.classifies:
        raise StartError(f"{task.name}: got a task without classes, allowed are classifications")
    if task.shape != start.shape:
        raise StartError(f"{task.name}: got inputs of {task.shape}, allowed are {start.shape}")


def _tuned(
    start: Start,
    runs: Sequence[Run],
    epochs: int,
    how: Optimisation,
    trained: Trained,
    device: torch.device,
) -> list[Tuned]:
    """Networks of one number of classes."""
    whole = start.network(runs[0].task.classes, start.body).to(device)
    module = freeze(copy.deepcopy(whole), trained)
    if how.stack == "measured" and device.type == "cpu":
        size = together(module, runs[0].task, how, len(runs))
        how = how.model_copy(update={"stack": "one" if size == 1 else size})
    members = [
        Member(run.names, run.task, how, _origin(start, run, how, trained, device)) for run in runs
    ]
    checkpoints = train_population(module, members, (epochs,)).checkpoints
    return [
        _judged(whole, module, last, run.task)
        for (last,), run in zip(checkpoints, runs, strict=True)
    ]


def _origin(
    start: Start, run: Run, how: Optimisation, trained: Trained, device: torch.device
) -> Checkpoint:
    """Where a run starts: its body, a fresh head, and the statistics of its samples."""
    body = start.body if run.body is None else run.body
    module = start.network(run.task.classes, body, *run.names).to(device)
    network, parameters = Network(module, device, run.task.objective), weights_of(module).parameters
    if network.has_statistics:
        load_weights(module, network.with_statistics(parameters, run.task.train_inputs))
    return untrained(freeze(module, trained), how.optimiser.moments)


def _judged(whole: nn.Module, frozen: nn.Module, last: Checkpoint, task: Task) -> Tuned:
    weights = thawed(last.weights, frozen, whole)
    if last.status is not Status.TRAINED:
        return Tuned(weights, UNKNOWN, last.status)
    load_weights(whole, weights)
    test = evaluate(whole, task.test_inputs, task.test_labels, task.objective)
    return Tuned(weights, test, last.status)

"""Training of the seeds of one block."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from phasezoo import rng
from phasezoo.data.task import Task
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import buffer_layout, load_weights, parameter_layout
from phasezoo.provenance import recipe_digest
from phasezoo.spec.jobs import TrainJob
from phasezoo.steps.device import name_of, prepare
from phasezoo.steps.log import say
from phasezoo.store.dataset import read_task
from phasezoo.store.manifest import store_of, writing
from phasezoo.store.weights import Block, write_block
from phasezoo.training.checkpoint import Checkpoint
from phasezoo.training.train import start
from phasezoo.training.train import train as train_model
from phasezoo.vocabulary import Status

MOST_LINES = 100  # of progress for a model


def train(job: TrainJob, data: Path, before: Sequence[Path], output: Path, gpus: int) -> None:
    """Train every seed of a block over a segment and write its checkpoints beside `output`."""
    device = prepare(gpus)
    task = read_task(data, device).at(job.place.load_name, job.place.load)
    skeleton = build(job.architecture, task.shape, task.classes)
    made_with = {"code": recipe_digest(), "device": name_of(device)}
    with writing(output, job.model_dump(mode="json"), **made_with) as directory:
        trained = [
            _seed(job, seed, position, task, before, device)
            for position, seed in enumerate(job.place.seeds)
        ]
        write_block(directory, trained, (parameter_layout(skeleton), buffer_layout(skeleton)))


def _seed(
    job: TrainJob,
    seed: int,
    position: int,
    task: Task,
    before: Sequence[Path],
    device: torch.device,
) -> list[Checkpoint]:
    """The checkpoints of one seed, from initial weights or from the segment before."""
    names = job.place.names(job.temperature, seed)
    module = build(job.architecture, task.shape, task.classes)
    if before:
        origin = Block(store_of(before[0])).last(position)
        load_weights(module, origin.weights)
    else:
        initialise(module, rng.generator(*names, "init"))
        origin = start(module, job.optimisation.optimiser.moments)
    module.to(device)

    last = job.epochs[-1]
    every = max(1, (last - origin.epoch) // MOST_LINES)

    def report(epoch: int, loss: float) -> None:
        if epoch % every == 0 or epoch == last:
            say(f"{' '.join(names)} epoch {epoch}/{last} loss {loss:.4f}")

    run = train_model(module, task, job.optimisation, names, origin, job.epochs, report)
    found = with_last_state(run)
    if found[-1].status is Status.DIVERGED:
        say(f"{' '.join(names)} diverged: recorded, and left out of the metrics")
    return found


def with_last_state(checkpoints: Iterable[Checkpoint]) -> list[Checkpoint]:
    """Checkpoints of which only the last keeps its optimiser's state, as large as the weights."""
    found: list[Checkpoint] = []
    for checkpoint in checkpoints:
        if found:
            found[-1] = replace(found[-1], state=torch.empty(0))
        found.append(checkpoint)
    return found

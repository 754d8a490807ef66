"""Training of the seeds of one block."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from phasezoo import rng
from phasezoo.data.task import Task
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import buffer_layout, parameter_layout
from phasezoo.provenance import recipe_digest
from phasezoo.spec.jobs import TrainJob
from phasezoo.steps.device import name_of, prepare, share_of
from phasezoo.steps.log import say
from phasezoo.store.dataset import read_task
from phasezoo.store.manifest import store_of, writing
from phasezoo.store.weights import Block, write_block
from phasezoo.training.member import Member
from phasezoo.training.population import train_population
from phasezoo.training.train import start
from phasezoo.vocabulary import Status


def train(job: TrainJob, data: Path, before: Sequence[Path], output: Path, gpus: int) -> None:
    """Train every seed of a block over a segment and write its checkpoints beside `output`."""
    device = prepare(gpus)
    task = read_task(data, device).at(job.place.load_name, job.place.load)
    module = build(job.architecture, task.shape, task.classes)
    layouts = (parameter_layout(module), buffer_layout(module))
    members = [
        _member(job, seed, position, task, before) for position, seed in enumerate(job.place.seeds)
    ]
    noted: dict[str, str] = {}
    made_with = {"code": recipe_digest(), "device": name_of(device)}
    with writing(output, job.model_dump(mode="json"), noted, **made_with) as directory:
        trained = train_population(module.to(device), members, job.epochs, say, share_of(device))
        noted["training"] = "; ".join(str(choice) for choice in trained.choices)
        write_block(directory, trained.checkpoints, layouts)
    for member, found in zip(members, trained.checkpoints, strict=True):
        if found[-1].status is Status.DIVERGED:
            say(f"{' '.join(member.names)} diverged: recorded, and left out of the metrics")


def _member(job: TrainJob, seed: int, position: int, task: Task, before: Sequence[Path]) -> Member:
    """One seed, from initial weights or from where the segment before left it."""
    names = job.place.names(job.temperature, seed)
    if before:
        origin = Block(store_of(before[0])).last(position)
    else:
        module = build(job.architecture, task.shape, task.classes)
        initialise(module, rng.generator(*names, "init"))
        origin = start(module, job.optimisation.optimiser.moments)
    return Member(names, task, job.optimisation, origin)

"""Training of the seeds of one block: in one cell, or in every cell of a share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import torch
from torch import nn

from phasezoo import rng
from phasezoo.data.task import Task
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import buffer_layout, load_weights, parameter_layout
from phasezoo.provenance import code_digest, recipe_digest
from phasezoo.spec.training_jobs import TrainingJob, TrainJob, TrainShareJob
from phasezoo.steps.device import name_of, prepare
from phasezoo.steps.log import Progress, say
from phasezoo.store.dataset import read_task
from phasezoo.store.manifest import writing
from phasezoo.store.partial import PartialWeights
from phasezoo.store.weights import Block, create_groups, write_block
from phasezoo.training.checkpoint import Checkpoint
from phasezoo.training.member import Member
from phasezoo.training.train import start, steps_per_epoch
from phasezoo.training.train import train as train_model
from phasezoo.vocabulary import Status

MOST_LINES = 100  # of progress for a model
MOST_OF_JOB = 1000  # for all models of a job


def train(job: TrainingJob, data: Path, before: Sequence[Path], output: Path, gpus: int) -> None:
    """Train every seed of a block over a segment and write its checkpoints beside `output`.

    If a job over several cells fails, those it has finished are kept for the next time.

    Args:
        job: what to train.
        data: manifest of the data set.
        before: manifest of the segment before, if there is one.
        output: manifest of the weights.
        gpus: that the job was given.
    """
    device = prepare(gpus)
    task = read_task(data, device)
    made_with = {"code": recipe_digest(), "device": name_of(device)}
    with writing(output, job.model_dump(mode="json"), **made_with) as directory:
        if isinstance(job, TrainJob):
            for cell, trained in _trained([job], task, before):
                _write(directory, cell, task, trained)
            return
        told = f"{job.model_dump_json()} {code_digest('train')} {made_with['device']}"
        kept = PartialWeights(output, told, [data, *before])
        _train_share(job, task, before, directory, kept)
    kept.remove()


def _train_share(
    job: TrainShareJob, task: Task, before: Sequence[Path], directory: Path, kept: PartialWeights
) -> None:
    """Write every cell of a share into its place in a draft; what is kept is not trained again."""
    cells = {cell.labels: cell for cell in job.cells()}
    create_groups(directory, (load for load, _ in cells))
    left = [c for labels, c in cells.items() if not kept.take(labels, directory.joinpath(*labels))]
    progress = Progress("cells", len(cells), [_steps(cell, task) for cell in left])
    for cell, trained in _trained(left, task, before):
        place = directory.joinpath(*cell.labels)
        _write(place, cell, task, trained)
        kept.keep(cell.labels, place)
        progress.add(_steps(cell, task))


def _steps(cell: TrainJob, task: Task) -> int:
    """Steps of the optimiser in an epoch, about in proportion to which small models take time."""
    size = cell.optimisation.batch_size
    return steps_per_epoch(len(task.train_labels), size) if isinstance(size, int) else 1


def _write(
    place: Path, cell: TrainJob, task: Task, trained: Sequence[Sequence[Checkpoint]]
) -> None:
    skeleton = build(cell.architecture, task.shape, task.classes)
    write_block(place, trained, (parameter_layout(skeleton), buffer_layout(skeleton)))


def _trained(
    cells: Sequence[TrainJob], task: Task, before: Sequence[Path]
) -> Iterator[tuple[TrainJob, list[list[Checkpoint]]]]:
    """Every cell with the checkpoints of its seeds, as soon as it is finished."""
    lines = max(1, MOST_OF_JOB // max(1, sum(len(cell.place.seeds) for cell in cells)))
    for group in _groups(cells):
        module = build(group[0].architecture, task.shape, task.classes)
        members = (member for cell in group for member in _members(cell, task, before))
        found = iter(train_group(module, members, group[0].epochs, min(lines, MOST_LINES)))
        for cell in group:
            yield cell, list(islice(found, len(cell.place.seeds)))


def _groups(cells: Sequence[TrainJob]) -> list[list[TrainJob]]:
    """Cells whose models have the same shapes and go through their data in the same batches."""
    found: dict[tuple[object, ...], list[TrainJob]] = {}
    for cell in cells:
        how = cell.optimisation
        found.setdefault((cell.architecture, how.batch_size, how.at_once), []).append(cell)
    return list(found.values())


def _members(cell: TrainJob, task: Task, before: Sequence[Path]) -> Iterator[Member]:
    """The seeds of one cell, from initial weights or from the segment before."""
    block = Block.of_cell(before[0], *cell.labels) if before else None
    own = task.at(cell.place.load_name, cell.place.load)
    for position, seed in enumerate(cell.place.seeds):
        names = cell.place.names(cell.temperature, seed)
        origin = block.last(position) if block else _initial(cell, names, task)
        yield Member(names, own, cell.optimisation, origin)


def _initial(cell: TrainJob, names: tuple[str, ...], task: Task) -> Checkpoint:
    module = build(cell.architecture, task.shape, task.classes)
    initialise(module, rng.generator(*names, "init"))
    return start(module, cell.optimisation.optimiser.moments)


def train_group(
    module: nn.Module, members: Iterable[Member], epochs: tuple[int, ...], lines: int
) -> Iterable[list[Checkpoint]]:
    """The checkpoints of each of some members that have the same shapes and batches, in turn.

    Args:
        module: their architecture; its weights are lost.
        members: the models; each is asked for when the one before is trained.
        epochs: of the checkpoints.
        lines: of progress to say of each, at most.
    """
    return (_train_member(module, member, epochs, lines) for member in members)


def _train_member(
    module: nn.Module, member: Member, epochs: tuple[int, ...], lines: int
) -> list[Checkpoint]:
    origin, name, last = member.origin, " ".join(member.names), epochs[-1]
    load_weights(module, origin.weights)
    module.to(member.task.train_labels.device)
    every = max(1, (last - origin.epoch) // lines)

    def report(epoch: int, loss: float) -> None:
        if epoch % every == 0 or epoch == last:
            say(f"{name} epoch {epoch}/{last} loss {loss:.4f}")

    how = (member.optimisation, member.names, origin, epochs, report)
    found = with_last_state(train_model(module, member.task, *how))
    if found[-1].status is Status.DIVERGED:
        say(f"{name} diverged: recorded, and left out of the metrics")
    return found


def with_last_state(checkpoints: Iterable[Checkpoint]) -> list[Checkpoint]:
    """Checkpoints of which only the last keeps its optimiser's state, as large as the weights."""
    found: list[Checkpoint] = []
    for checkpoint in checkpoints:
        if found:
            found[-1] = replace(found[-1], state=torch.empty(0))
        found.append(checkpoint)
    return found

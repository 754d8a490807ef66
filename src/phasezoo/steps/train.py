"""Training of the seeds of one block: in one cell, or in every cell of a share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from phasezoo import rng
from phasezoo.data.task import Task
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import buffer_layout, parameter_layout
from phasezoo.models.pretrained import begin_pretrained
from phasezoo.models.vocabulary import check_vocabulary
from phasezoo.provenance import code_digest, recipe_digest
from phasezoo.spec.training_jobs import TrainingJob, TrainJob, TrainShareJob
from phasezoo.steps.device import name_of, prepare, share_of
from phasezoo.steps.log import Progress, say
from phasezoo.store.dataset import read_task
from phasezoo.store.manifest import writing
from phasezoo.store.partial import PartialWeights
from phasezoo.store.weights import Block, create_groups, write_block
from phasezoo.training.checkpoint import Checkpoint
from phasezoo.training.member import Member
from phasezoo.training.population import population
from phasezoo.training.train import start, steps_per_epoch
from phasezoo.vocabulary import Status


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
    check_vocabulary(job.architecture, task)
    made_with = {"code": recipe_digest(), "device": name_of(device)}
    noted: dict[str, str] = {}
    with writing(output, job.model_dump(mode="json"), noted, **made_with) as directory:
        if isinstance(job, TrainJob):
            for cell, trained in _trained([job], task, before, noted):
                _write(directory, cell, task, trained)
            return
        told = f"{job.model_dump_json()} {code_digest('train')} {made_with['device']}"
        kept = PartialWeights(output, told, [data, *before])
        _train_share(job, task, before, directory, kept, noted)
    kept.remove()


def _train_share(
    job: TrainShareJob,
    task: Task,
    before: Sequence[Path],
    directory: Path,
    kept: PartialWeights,
    noted: dict[str, str],
) -> None:
    """Write every cell of a share into its place in a draft; what is kept is not trained again."""
    cells = {cell.labels: cell for cell in job.cells()}
    create_groups(directory, (load for load, _ in cells))
    left = [c for labels, c in cells.items() if not kept.take(labels, directory.joinpath(*labels))]
    progress = Progress("cells", len(cells), [_steps(cell, task) for cell in left])
    for cell, trained in _trained(left, task, before, noted):
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
    cells: Sequence[TrainJob], task: Task, before: Sequence[Path], noted: dict[str, str]
) -> Iterator[tuple[TrainJob, list[list[Checkpoint]]]]:
    """Every cell with the checkpoints of its seeds, as soon as it is finished.

    How the models were trained, one after the other or together, is added to `noted`.
    """
    device = task.train_labels.device
    for group in _groups(cells):
        module = build(group[0].architecture, task.shape, task.classes).to(device)
        seeds = len(group[0].place.seeds)
        members = [member for cell in group for member in _members(cell, task, before)]
        choices, coming = population(module, members, group[0].epochs, say, share_of(device))
        noted["training"] = "; ".join([*noted.values(), *map(str, choices)])
        found: dict[int, list[Checkpoint]] = {}
        for position, checkpoints in coming:
            found[position] = checkpoints
            _tell_if_diverged(members[position], checkpoints)
            first = position // seeds * seeds
            of_cell = range(first, first + seeds)
            if all(seed in found for seed in of_cell):
                yield group[position // seeds], [found.pop(seed) for seed in of_cell]


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
    begin_pretrained(module, cell.architecture)
    return start(module, cell.optimisation.optimiser.moments)


def _tell_if_diverged(member: Member, checkpoints: Sequence[Checkpoint]) -> None:
    if checkpoints[-1].status is Status.DIVERGED:
        say(f"{' '.join(member.names)} diverged: recorded, and left out of the metrics")

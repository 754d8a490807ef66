"""Bringing models that were trained elsewhere into the imported blocks of a declared zoo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch

from phasezoo import paths
from phasezoo.cell_plan import import_job
from phasezoo.data.labelled import labelled
from phasezoo.data.task import Task, task_from
from phasezoo.models.build import build
from phasezoo.spec.jobs import at_load
from phasezoo.spec.study import Study
from phasezoo.spec.zoo import Zoo
from phasezoo.store.dataset import read_task
from phasezoo.store.incoming import Content, Incoming, Source, difference
from phasezoo.store.manifest import writing
from phasezoo.store.model_table import Label, read_model_table
from phasezoo.store.state_dicts import Skeleton, StateError
from phasezoo.store.weights import write_block
from phasezoo.vocabulary import Number, PhasezooError, Status
from phasezoo.weights_plan import weights_manifest


class ImportsError(PhasezooError):
    """Models cannot be imported; one line per problem."""


@dataclass
class Survey:
    """What there is to import, all of it read and checked.

    Attributes:
        source: where it comes from.
        models: number of models with a file.
        declared: number of models that the imported blocks declare.
        ignored: columns of the table that say nothing here.
        new: blocks that are not there yet.
        same: number of blocks that are there with the same content.
        other: blocks that are there with another content, and how it differs.
        counts: of checkpoints, by what became of them; those without a file were never trained.
        digests: sha256 of every file.
        converted: the type that a file was stored in, where it is not float32.
    """

    source: Source
    models: int
    declared: int
    ignored: tuple[str, ...]
    new: list[Incoming] = field(default_factory=list)
    same: int = 0
    other: list[tuple[Incoming, str]] = field(default_factory=list)
    counts: dict[Status, int] = field(default_factory=lambda: dict.fromkeys(Status, 0))
    digests: dict[str, str] = field(default_factory=dict)
    converted: dict[str, str] = field(default_factory=dict)

    def add(self, block: Incoming, content: Content) -> None:
        """Take a block into account."""
        for checkpoint in (c for of_seed in content.checkpoints for c in of_seed):
            self.counts[checkpoint.status] += 1
        for file, state in content.states.items():
            self.digests[file] = state.sha256
            if state.converted:
                self.converted[file] = ", ".join(state.converted)
        if not block.manifest.exists():
            self.new.append(block)
        elif how := difference(block, content):
            self.other.append((block, how))
        else:
            self.same += 1


def survey(root: Path, name: str, study: Study, folder: Path, table: Path) -> Survey:
    """Read and check everything that a folder brings into a zoo; nothing is written.

    Args:
        root: of the study.
        name: of the zoo.
        study: that declares it.
        folder: where the state dicts lie.
        table: which file is which checkpoint; see `read_model_table`.

    Raises:
        PhasezooError: a line for every problem of the table and of every file in it.
    """
    zoo = study.zoos[name]
    if not zoo.imported:
        raise ImportsError(f"zoos.{name}.imported: got none, allowed are blocks of its seeds")
    listing = read_model_table(table, folder, zoo)
    source = Source(folder, _skeletons(root, study, zoo))
    models = {label[:3] for label in listing.files}
    seeds = sum(map(len, zoo.imported))
    found = Survey(source, len(models), len(list(zoo.cells())) * seeds, listing.ignored)
    problems = list(listing.problems)
    for block in _incoming(root, name, zoo, listing.files):
        try:
            found.add(block, source.read(block))
        except StateError as problem:
            problems += str(problem).splitlines()
    if problems:
        lines = "\n".join(dict.fromkeys(problems))
        raise ImportsError(f"import: nothing was written, because of these:\n{lines}")
    return found


def bring(found: Survey, replace: bool = False) -> int:
    """Write the blocks that are new or, if they are to be replaced, differ; returns their number.

    Raises:
        ImportsError: some are there and differ, and are not to be replaced; or a file was changed
            since it was surveyed.
    """
    if found.other and not replace:
        lines = "\n".join(f"{block.manifest}: {how}" for block, how in found.other)
        raise ImportsError(
            f"import: nothing was written, because these are there and differ; --replace puts the "
            f"new ones in their place:\n{lines}"
        )
    blocks = [*found.new, *(block for block, _ in found.other)]
    for block in blocks:
        _write(found, block)
    return len(blocks)


def _write(found: Survey, block: Incoming) -> None:
    content = found.source.read(block)
    digests = {file: state.sha256 for file, state in sorted(content.states.items())}
    for file, digest in digests.items():
        if digest != found.digests[file]:
            raise ImportsError(f"{file}: changed while it was imported; import again")
    sources = "".join(f"{digest}  {file}\n" for file, digest in digests.items())
    skeleton = found.source.skeletons[block.job.place.load]
    with writing(block.manifest, block.spec, sources=sources) as directory:
        layouts = (skeleton.parameters, skeleton.buffers)
        write_block(directory, content.checkpoints, layouts, resumable=False)


def _incoming(root: Path, name: str, zoo: Zoo, files: Mapping[Label, str]) -> Iterator[Incoming]:
    """Every imported block of the declared grid, also those that have no file."""
    for load, temperature in zoo.cells():
        width, heat = zoo.load.meaning.label(load), zoo.temperature.meaning.label(temperature)
        for block in zoo.imported:
            for epochs in zoo.training.checkpoints:
                job = import_job(zoo, name, load, temperature, block, epochs)
                labels = (Label(load, temperature, s, e) for s in block for e in epochs)
                of_block = {(x.seed, x.epoch): files[x] for x in labels if x in files}
                manifest = root / weights_manifest(zoo, name, width, heat, block, epochs)
                yield Incoming(manifest, job, of_block)


def _skeletons(root: Path, study: Study, zoo: Zoo) -> dict[Number, Skeleton]:
    """What a model of each load consists of; its inputs and classes are those of the data set."""
    task = _task(root, study, zoo.dataset)
    return {
        load: Skeleton.of(build(at_load(zoo, load), task.shape, task.classes))
        for load in zoo.load.all_values
    }


def _task(root: Path, study: Study, dataset: str) -> Task:
    """The data set as it is stored, or made for this once.

    The workflow makes data sets only when nothing imported is missing.
    """
    manifest, device = root / paths.DATA_MANIFEST.format(dataset=dataset), torch.device("cpu")
    if manifest.exists():
        return read_task(manifest, device)
    return task_from(labelled(study.data[dataset]), dataset, device)

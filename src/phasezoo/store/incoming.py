"""One block of models trained elsewhere: what its files hold, and what is there of it already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from phasezoo.models.flat import Weights
from phasezoo.spec.jobs import ImportJob
from phasezoo.store.manifest import ManifestError, read_manifest, store_of, verify
from phasezoo.store.state_dicts import Skeleton, State, StateError, read_state
from phasezoo.store.weights import Block
from phasezoo.training.checkpoint import Checkpoint
from phasezoo.vocabulary import Number, Status


@dataclass(frozen=True)
class Incoming:
    """One block of one cell over one segment: where it goes, and the files it comes from."""

    manifest: Path
    job: ImportJob
    files: Mapping[tuple[int, int], str]  # by seed and epoch, relative to the folder

    @property
    def spec(self) -> dict[str, object]:
        """What its manifest says of it."""
        return self.job.model_dump(mode="json")


@dataclass(frozen=True)
class Content:
    """What the files of a block hold: checkpoints by seed and epoch, and files by name."""

    checkpoints: list[list[Checkpoint]]
    states: dict[str, State]


@dataclass(frozen=True)
class Source:
    """A folder of state dicts, and what they must fit at every load."""

    folder: Path
    skeletons: Mapping[Number, Skeleton]

    def read(self, block: Incoming) -> Content:
        """Read the files of a block.

        Raises:
            StateError: a line for every problem of every file.
        """
        skeleton = self.skeletons[block.job.place.load]
        states: dict[str, State] = {}
        problems = []
        for file in dict.fromkeys(block.files.values()):
            try:
                states[file] = read_state(self.folder / file, file, skeleton)
            except StateError as problem:
                problems.append(str(problem))
        if problems:
            raise StateError("\n".join(problems))
        found = {key: states[file] for key, file in block.files.items()}
        return Content(
            [
                [
                    _checkpoint(epoch, found.get((seed, epoch)), skeleton)
                    for epoch in block.job.epochs
                ]
                for seed in block.job.place.seeds
            ],
            states,
        )


def difference(block: Incoming, content: Content) -> str:
    """How a block that is there differs from what would be written; empty if it does not."""
    try:
        verify(block.manifest)
        if read_manifest(block.manifest)["spec"] != block.spec:
            return "made from another spec"
        stored = Block(store_of(block.manifest))
    except ManifestError as problem:
        return str(problem)
    for position, of_seed in enumerate(content.checkpoints):
        for checkpoint in of_seed:
            where = f"seed {block.job.place.seeds[position]}, epoch {checkpoint.epoch}"
            status = stored.status(position, checkpoint.epoch)
            if status is not checkpoint.status:
                return f"{where}: {status.name.lower()}, not {checkpoint.status.name.lower()}"
            if not _equal(stored.weights(position, checkpoint.epoch), checkpoint.weights):
                return f"{where}: other weights"
    return ""


def _checkpoint(epoch: int, state: State | None, skeleton: Skeleton) -> Checkpoint:
    nothing = torch.empty(0, 0)  # the state of the optimiser stayed where the model was trained
    if state is None:
        return Checkpoint(epoch, skeleton.nothing, nothing, Status.NEVER_TRAINED)
    return Checkpoint(epoch, state.weights, nothing, state.status)


def _equal(one: Weights, other: Weights) -> bool:
    """Whether two models have the same numbers; NaN is equal to NaN."""
    return all(
        np.array_equal(getattr(one, part).numpy(), getattr(other, part).numpy(), equal_nan=True)
        for part in ("parameters", "buffers")
    )

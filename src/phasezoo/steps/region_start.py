"""What the steps of a region study read: the pre-trained network, and the models tuned from it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch

from phasezoo.data.task import Task
from phasezoo.spec.architecture import Architecture
from phasezoo.spec.region_jobs import StartPlace
from phasezoo.store.dataset import read_task
from phasezoo.store.tuned import Tuned, read_tuned
from phasezoo.store.weights import Block
from phasezoo.transfer.regions.start import Start
from phasezoo.vocabulary import PhasezooError, Status


class RegionError(PhasezooError):
    """A region study cannot go on with what was trained."""


def read_start(
    place: StartPlace, tuned_as: Architecture | None, weights: Path, origin: Task
) -> Start:
    """The pre-trained network of a start.

    Args:
        place: which model it is.
        tuned_as: architecture of the networks tuned from it; None: the same.
        weights: manifest of its block.
        origin: what it was trained on.

    Raises:
        RegionError: it diverged.
    """
    block = Block.of_cell(weights, *place.labels)
    seed = place.place.seeds.index(place.seed)
    found = block.status(seed, place.epoch)
    if found is not Status.TRAINED:
        names = " ".join(place.place.names(place.temperature, place.seed))
        raise RegionError(
            f"start: got {names}, which {found.name.lower()}; allowed: one that lives"
        )
    model = block.weights(seed, place.epoch)
    return Start(place.architecture, origin.shape, origin.classes, model, tuned_as)


def start_of(
    place: StartPlace, tuned_as: Architecture | None, weights: Path, origin: Path
) -> Start:
    """The same, with the manifest of the data set that it was trained on."""
    return read_start(place, tuned_as, weights, read_task(origin, torch.device("cpu")))


def read_all_tuned(manifests: Iterable[Path]) -> list[Tuned]:
    """All models of some stores, in their order."""
    return [model for manifest in manifests for model in read_tuned(manifest)]

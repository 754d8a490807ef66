"""Which artefact holds the weights of which cells."""

from __future__ import annotations

from phasezoo import paths
from phasezoo.spec.axis import Axis
from phasezoo.spec.zoo import Zoo
from phasezoo.vocabulary import LOAD, TEMPERATURE


def made_together(zoo: Zoo, axis: str, block: tuple[int, ...], share: str) -> list[str]:
    """How a share of an axis stands in the paths of weights: as a whole, or value by value."""
    whole = axis in zoo.training.together and block not in zoo.imported
    return [share] if whole else share.split("+")


def shares(axis: Axis) -> list[str]:
    """The labels of the shares of an axis."""
    return [paths.share_label(axis.meaning, share) for share in axis.values]


def weights_manifest(
    zoo: Zoo,
    name: str,
    load: str,
    temperature: str,
    block: tuple[int, ...],
    segment: tuple[int, ...],
) -> str:
    """Manifest of the weights of one block over one segment, trained here or imported.

    Args:
        zoo: its spec.
        name: of the zoo.
        load: label of a load, or of a share of loads that are trained together.
        temperature: the same of temperatures.
        block: of seeds.
        segment: of epochs.
    """
    form = paths.IMPORTED_MANIFEST if block in zoo.imported else paths.WEIGHTS_MANIFEST
    return form.format(
        zoo=name,
        load=load,
        temperature=temperature,
        block=paths.numbers_label(block),
        segment=paths.numbers_label(segment),
    )


def zoo_weights(zoo: Zoo, name: str) -> list[str]:
    """Manifests of all weights of a zoo: of every cell or share of cells, block and segment."""
    return [
        weights_manifest(zoo, name, load, temperature, block, segment)
        for loads in shares(zoo.load)
        for temperatures in shares(zoo.temperature)
        for block in zoo.seeds
        for load in made_together(zoo, LOAD, block, loads)
        for temperature in made_together(zoo, TEMPERATURE, block, temperatures)
        for segment in zoo.training.checkpoints
    ]

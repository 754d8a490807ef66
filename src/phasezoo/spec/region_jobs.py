"""What each job of a region study is told: the part of the spec that decides its result."""

from __future__ import annotations

from phasezoo import paths
from phasezoo.spec.architecture import Architecture
from phasezoo.spec.base import Absent, Spec
from phasezoo.spec.regions import (
    OTHER_START,
    START,
    Doubt,
    Efficient,
    Groups,
    Inside,
    Lines,
    Probe,
    Regions,
    Tuning,
)
from phasezoo.spec.training_jobs import Place
from phasezoo.vocabulary import Number


class StartPlace(Spec):
    """Where the weights of a start lie, and what network they are of."""

    place: Place  # its block of seeds
    temperature: Number
    seed: int
    epoch: int
    architecture: Architecture  # at its load

    @property
    def labels(self) -> tuple[str, str]:
        """Load and temperature of its cell, as they stand in paths."""
        return self.place.labels(self.temperature)


class TuneJob(Spec):
    """Tune one start to one data set, with a block of seeds of head and order."""

    recipe: int
    regions: str
    called: str  # which start
    start: StartPlace
    architecture: Architecture | None = Absent  # of the tuned models, where it is another
    dataset: str
    seeds: tuple[int, ...]
    tuning: Tuning

    def names(self, seed: int) -> tuple[str, ...]:
        """The names of one model, from which its generators are made."""
        return self.regions, self.called, self.dataset, f"seed={seed}"

    @property
    def tuned(self) -> Architecture:
        """The architecture of the tuned models."""
        return self.architecture or self.start.architecture


class RegionsJob(Spec):
    """What measuring and joining share: the tuned models of a region study, and their start."""

    regions: str
    start: StartPlace
    architecture: Architecture | None = Absent
    families: Groups
    domains: Groups | None = Absent
    seeds: tuple[tuple[int, ...], ...]

    @property
    def tuned(self) -> Architecture:
        """The architecture of the tuned models."""
        return self.architecture or self.start.architecture

    @property
    def datasets(self) -> tuple[str, ...]:
        """All data sets, family after family."""
        return tuple(name for of in self.families.values() for name in of)

    @property
    def family_of(self) -> dict[str, str]:
        """The family of each data set."""
        return {name: family for family, of in self.families.items() for name in of}

    @property
    def domain_of(self) -> dict[str, str]:
        """The domain of each data set, if domains are told."""
        return {name: domain for domain, of in (self.domains or {}).items() for name in of}

    @property
    def all_seeds(self) -> tuple[int, ...]:
        """All seeds, block after block."""
        return tuple(seed for block in self.seeds for seed in block)

    def manifests(self, called: str = START) -> list[str]:
        """Manifests of all models tuned from one start: data set by data set, block by block."""
        return tuned_manifests(self.regions, called, self.datasets, self.seeds)


class MeasureRegionsJob(RegionsJob):
    """Measure what tuned models, and networks between and around them, are worth on a target."""

    target: str
    probe: Probe
    groups: Inside
    lines: Lines
    efficient: Efficient


class JoinRegionsJob(RegionsJob):
    """Join the measurements of a region study, and find clusters among its task vectors."""

    title: str
    references: tuple[str, ...]
    licence: str
    other_start: StartPlace | None = Absent
    origins: dict[str, tuple[str, str]]  # manifests of weights and data set, by start
    doubt: Doubt

    @property
    def starts(self) -> tuple[str, ...]:
        """The names of the starts, as they stand in paths."""
        return (START,) if self.other_start is None else (START, OTHER_START)

    def measured(self) -> list[str]:
        """What was measured on each target."""
        return measured_files(self.regions, self.datasets)


def tuned_manifests(
    name: str, called: str, datasets: tuple[str, ...], blocks: tuple[tuple[int, ...], ...]
) -> list[str]:
    """Manifests of all models tuned from one start: data set by data set, block by block."""
    return [
        paths.TUNED_MANIFEST.format(
            regions=name, start=called, dataset=dataset, block=paths.numbers_label(block)
        )
        for dataset in datasets
        for block in blocks
    ]


def measured_files(name: str, datasets: tuple[str, ...]) -> list[str]:
    """What is measured on each target of a region study."""
    return [paths.MEASURED_ON.format(regions=name, dataset=dataset) for dataset in datasets]


def all_tuned(name: str, regions: Regions) -> list[str]:
    """Manifests of all models of a region study, start by start."""
    return [
        manifest
        for called in regions.starts
        for manifest in tuned_manifests(name, called, regions.datasets, regions.seeds)
    ]

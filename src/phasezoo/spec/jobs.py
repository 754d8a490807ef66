"""What each job is told: the part of the spec that decides its result, and nothing else.

A job reaches its step as one line of JSON, which is a param of its rule, so Snakemake runs again
what a change of `params.yaml` touches, and only that.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import Field

from phasezoo import paths
from phasezoo.spec.architecture import Architecture
from phasezoo.spec.base import Absent, Spec
from phasezoo.spec.data import DataSpec
from phasezoo.spec.learning import Learning
from phasezoo.spec.measured import Measured
from phasezoo.spec.metrics import Family
from phasezoo.spec.phases import Criteria
from phasezoo.spec.seen import Seen
from phasezoo.spec.training import Optimisation
from phasezoo.spec.training_jobs import Place, TrainJob, TrainShareJob
from phasezoo.spec.zoo import Zoo
from phasezoo.vocabulary import Number, Pairing, block_pairs

__all__ = ["Place", "TrainJob", "TrainShareJob"]

F = TypeVar("F", bound=Measured)
OF_PAIRS = ("connectivity", "similarity")  # families of nothing but pairs
WITH_PAIRS = (*OF_PAIRS, "merging", "ensembling")  # and those that have them too


class DataJob(Spec):
    """Make the labelled store of one data set."""

    name: str
    spec: DataSpec


def _empty(value: object) -> bool:
    return not value


def _is_within(value: object) -> bool:
    return value == "within"


# Left out of the JSON at their defaults, so that jobs without them read as they always did.
InBlock = Annotated[Literal["within", "disjoint"], Field(exclude_if=_is_within)]
Partners = Annotated[tuple[int, ...], Field(exclude_if=_empty)]


class MeasureJob(Spec):
    """Measure one family on a share of cells, for one block and epoch.

    The cells are all loads with all temperatures. With `partners`, the seeds of a second block,
    only the pairs between the two are measured; without, those of its block that `pairs` names.
    """

    zoo: str
    load_name: str
    loads: tuple[Number, ...]
    temperature_name: str
    temperatures: tuple[Number, ...]
    seeds: tuple[int, ...]
    partners: Partners = ()
    pairs: InBlock = "within"
    seen: Seen | None = Absent  # what models saw of the training set; told to merging alone
    epoch: int
    architecture: Architecture  # that of the zoo, which has no load yet
    options: Annotated[Family, Field(discriminator="family")]

    def place(self, load: Number) -> Place:
        """Where in the zoo the cells of one load lie."""
        return Place(
            zoo=self.zoo,
            load_name=self.load_name,
            load=load,
            temperature_name=self.temperature_name,
            seeds=self.seeds,
        )

    def architecture_at(self, load: Number) -> Architecture:
        """The architecture of one load."""
        return self.architecture.at(self.load_name, load)

    def options_as(self, kind: type[F]) -> F:
        """The options as those of one family.

        Raises:
            TypeError: the job is of another family.
        """
        if not isinstance(self.options, kind):
            raise TypeError(f"job: got family {self.options.family}, allowed is {kind.__name__}")
        return self.options


class ImportJob(Spec):
    """Models trained elsewhere, as one block of one cell over one segment of epochs."""

    place: Place
    temperature: Number
    architecture: Architecture
    epochs: tuple[int, ...]


class CollectJob(Spec):
    """Join the measurements of a zoo on its full declared grid."""

    zoo: str
    load_name: str
    loads: tuple[Number, ...]
    temperature_name: str
    temperatures: tuple[Number, ...]
    load_shares: tuple[str, ...]
    temperature_shares: tuple[str, ...]
    seeds: tuple[tuple[int, ...], ...]
    pairs: Pairing
    group: Literal["metrics", "merging", "transfer"]
    families: dict[str, tuple[int, ...]]  # epochs of each family of the group

    def parts(self) -> list[str]:
        """Every measurement to join."""
        return [
            paths.MEASURED.format(
                zoo=self.zoo,
                loads=loads,
                temperatures=temperatures,
                blocks=blocks,
                epoch=epoch,
                family=family,
            )
            for family, epochs in self.families.items()
            for epoch in epochs
            for loads in self.load_shares
            for temperatures in self.temperature_shares
            for blocks in measured_blocks(self.seeds, self.pairs, family)
        ]


def measured_blocks(seeds: tuple[tuple[int, ...], ...], pairs: str, family: str) -> list[str]:
    """Labels of the blocks, and pairs of blocks, that a family is measured on."""
    alone = [(block,) for block in seeds if family not in OF_PAIRS or len(block) > 1]
    both = block_pairs(seeds) if pairs == "all" and family in WITH_PAIRS else []
    return [paths.blocks_label(*blocks) for blocks in (*alone, *both)]


class PhasesJob(Spec):
    """Label the cells of a zoo."""

    zoo: str
    criteria: Criteria


class LearningJob(Spec):
    """Learn errors and phases of a zoo from its weights."""

    zoo: str
    options: Learning


class ExplainedJob(Spec):
    """Tell what the phases of a zoo explain of its results."""

    zoo: str
    groups: tuple[str, ...]  # of results
    criteria: Criteria  # of the labels, which are made again without some seeds


class PublishJob(Spec):
    """Publish a zoo as one labelled store."""

    name: str
    zoo: Zoo
    groups: tuple[str, ...]  # of results


class ReportJob(Spec):
    """Write the report over some zoos, each with its groups of results, and region studies."""

    zoos: dict[str, tuple[str, ...]]
    regions: Annotated[tuple[str, ...], Field(exclude_if=_empty)] = ()


def at_temperature(zoo: Zoo, temperature: Number) -> Optimisation:
    """The training at one temperature, set in its place."""
    return of_every_cell(zoo).at(zoo.temperature.hyperparameter, temperature)


def of_every_cell(zoo: Zoo) -> Optimisation:
    """What the training of all cells has in common: all but the temperature."""
    return Optimisation(
        optimiser=zoo.training.optimiser,
        schedule=zoo.training.schedule,
        batch_size=zoo.training.batch_size,
        augmentation=zoo.training.augmentation,
        at_once=zoo.training.at_once,
        precision=zoo.training.precision,
        stack=zoo.training.stack,
    )


def at_load(zoo: Zoo, load: Number) -> Architecture:
    """The architecture of one load."""
    return zoo.architecture.at(zoo.load.hyperparameter, load)

"""What each job is told: the part of the spec that decides its result, and nothing else.

A job reaches its step as one line of JSON, which is a param of its rule, so Snakemake runs again
what a change of `params.yaml` touches, and only that.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import Field

from phasezoo.spec.architecture import Architecture
from phasezoo.spec.base import Spec
from phasezoo.spec.data import DataSpec
from phasezoo.spec.metrics import Family, Measured, PhaseCriteria
from phasezoo.spec.training import Optimisation
from phasezoo.spec.zoo import Zoo
from phasezoo.vocabulary import HYPERPARAMETERS, Number

F = TypeVar("F", bound=Measured)


class DataJob(Spec):
    """Make the labelled store of one data set."""

    name: str
    spec: DataSpec


class Place(Spec):
    """Where in a zoo a job works: the load, the seeds of a block, and what the axes mean."""

    zoo: str
    load_name: str
    load: Number
    temperature_name: str
    seeds: tuple[int, ...]

    def names(self, temperature: Number, seed: int) -> tuple[str, ...]:
        """The names of one model, from which its generators are made."""
        load, heat = HYPERPARAMETERS[self.load_name], HYPERPARAMETERS[self.temperature_name]
        return (
            self.zoo,
            f"{load.name}={load.label(self.load)}",
            f"{heat.name}={heat.label(temperature)}",
            f"seed={seed}",
        )


class TrainJob(Spec):
    """Train the seeds of one block of one cell over one segment of epochs."""

    recipe: int
    data: DataSpec
    place: Place
    temperature: Number
    architecture: Architecture
    optimisation: Optimisation
    epochs: tuple[int, ...]  # checkpoints to store
    resume: int | None  # the epoch to start from; None: initial weights


class MeasureJob(Spec):
    """Measure one family on the cells of a share, for one block and epoch."""

    place: Place
    temperatures: tuple[Number, ...]
    epoch: int
    architecture: Architecture
    options: Annotated[Family, Field(discriminator="family")]

    def options_as(self, kind: type[F]) -> F:
        """The options as those of one family.

        Raises:
            TypeError: the job is of another family.
        """
        if not isinstance(self.options, kind):
            raise TypeError(f"job: got family {self.options.family}, allowed is {kind.__name__}")
        return self.options


class CollectJob(Spec):
    """Join the measurements of a zoo on its full declared grid."""

    zoo: str
    load_name: str
    loads: tuple[Number, ...]
    temperature_name: str
    temperatures: tuple[Number, ...]
    seeds: tuple[tuple[int, ...], ...]
    group: Literal["metrics", "merging", "transfer"]


class PhasesJob(Spec):
    """Label the cells of a zoo."""

    zoo: str
    criteria: PhaseCriteria


class PublishJob(Spec):
    """Publish a zoo as one labelled store."""

    name: str
    zoo: Zoo


class ReportJob(Spec):
    """Write the report over some zoos."""

    zoos: tuple[str, ...]


def at_temperature(zoo: Zoo, temperature: Number) -> Optimisation:
    """The training of one cell: the temperature set in its place."""
    optimiser, batch_size = zoo.training.optimiser, zoo.training.batch_size
    match zoo.temperature.hyperparameter:
        case "batch_size":
            batch_size = int(temperature)
        case name:
            optimiser = optimiser.model_copy(update={name: float(temperature)})
    return Optimisation(optimiser=optimiser, schedule=zoo.training.schedule, batch_size=batch_size)


def at_load(zoo: Zoo, load: Number) -> Architecture:
    """The architecture of one load."""
    return zoo.architecture.model_copy(update={zoo.load.hyperparameter: load})

"""What a training job is told: one cell, or a share of cells that are trained together."""

from __future__ import annotations

from pydantic import TypeAdapter

from phasezoo.spec.architecture import Architecture
from phasezoo.spec.base import Absent, Spec
from phasezoo.spec.data import DataSpec
from phasezoo.spec.seen import Seen
from phasezoo.spec.training import Optimisation, Parts, samples_at_once
from phasezoo.vocabulary import HYPERPARAMETERS, Number


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

    def labels(self, temperature: Number) -> tuple[str, str]:
        """Load and temperature of a cell, as they stand in paths."""
        load, heat = HYPERPARAMETERS[self.load_name], HYPERPARAMETERS[self.temperature_name]
        return load.label(self.load), heat.label(temperature)


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
    seen: Seen | None = Absent

    @property
    def labels(self) -> tuple[str, str]:
        """Load and temperature of the cell, as they stand in paths."""
        return self.place.labels(self.temperature)

    def cells(self) -> list[TrainJob]:
        """The job of every cell: this one."""
        return [self]


class TrainShareJob(Spec):
    """Train the seeds of one block of a share of cells over one segment of epochs.

    The cells are all loads with all temperatures; each is trained as it would be alone.
    """

    recipe: int
    data: DataSpec
    zoo: str
    load_name: str
    loads: tuple[Number, ...]
    temperature_name: str
    temperatures: tuple[Number, ...]
    seeds: tuple[int, ...]
    architecture: Architecture  # that of the zoo, which has no load yet
    optimisation: Optimisation  # that of the zoo, which has no temperature yet
    at_once_from: Parts | None = Absent
    epochs: tuple[int, ...]
    resume: int | None
    seen: Seen | None = Absent

    def cells(self) -> list[TrainJob]:
        """The job of every cell, load by load."""
        return [self._cell(load, heat) for load in self.loads for heat in self.temperatures]

    def _cell(self, load: Number, temperature: Number) -> TrainJob:
        how = self.optimisation.at(self.temperature_name, temperature)
        at_once = samples_at_once(how.at_once, self.at_once_from, load)
        return TrainJob(
            recipe=self.recipe,
            data=self.data,
            place=Place(
                zoo=self.zoo,
                load_name=self.load_name,
                load=load,
                temperature_name=self.temperature_name,
                seeds=self.seeds,
            ),
            temperature=temperature,
            architecture=self.architecture.at(self.load_name, load),
            optimisation=how.model_copy(update={"at_once": at_once}),
            epochs=self.epochs,
            resume=self.resume,
            seen=self.seen,
        )


TrainingJob = TrainJob | TrainShareJob
_ANY: TypeAdapter[TrainingJob] = TypeAdapter(TrainingJob)


def training_job(text: str) -> TrainingJob:
    """The job of a line of JSON that `train` is told."""
    return _ANY.validate_json(text)

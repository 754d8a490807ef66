"""Spec of what is measured on every checkpoint, and of the labels made from it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from phasezoo.spec.base import (
    Fraction,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Spec,
    Text,
    refused,
)
from phasezoo.spec.measured import Measured
from phasezoo.spec.numbers import GradientNoise, LocalLearning, WeightSpectra
from phasezoo.spec.training import Optimisation


class Evaluation(Measured):
    """Clean loss and error on the whole training and test set."""

    family: Literal["evaluation"] = "evaluation"


class Hessian(Measured):
    """Curvature of the training loss on a fixed sample."""

    family: Literal["hessian"] = "hessian"
    samples: PositiveInt
    iterations: PositiveInt  # of Lanczos, at most
    tolerance: PositiveFloat  # residual relative to the eigenvalue
    probes: Annotated[PositiveInt, Field(ge=2)]  # of Hutchinson's estimator


class Connectivity(Measured):
    """Bezier curves and straight lines between the seeds of a cell."""

    family: Literal["connectivity"] = "connectivity"
    curve_epochs: PositiveInt
    batch_size: PositiveInt
    learning_rate: PositiveFloat
    momentum: Fraction
    weight_decay: NonNegativeFloat
    points: Annotated[PositiveInt, Field(ge=3)]  # on the curve and on the line, ends included


class Similarity(Measured):
    """How alike the functions and the weights of two seeds are."""

    family: Literal["similarity"] = "similarity"
    samples: PositiveInt  # of the test set, for CKA


class Merging(Measured):
    """Models made of several: midpoints, averages over seeds and over checkpoints."""

    family: Literal["merging"] = "merging"
    sweeps: PositiveInt  # of coordinate descent, at most
    points: Annotated[PositiveInt, Field(ge=3)]
    last_checkpoints: Annotated[tuple[NonNegativeInt, ...], Field(min_length=2)]


class Transfer(Measured):
    """Fine-tuning on another data set against training on it from scratch."""

    family: Literal["transfer"] = "transfer"
    dataset: Text
    head: Literal["kept", "fresh"]  # a fresh one is needed where the classes differ
    fine_tune_epochs: PositiveInt
    optimisation: Optimisation

    @model_validator(mode="after")
    def _all_set(self) -> Transfer:
        optimiser = self.optimisation.optimiser
        settings = {
            "optimiser.learning_rate": optimiser.learning_rate,
            "optimiser.weight_decay": optimiser.weight_decay,
            "batch_size": self.optimisation.batch_size,
        }
        for name, value in settings.items():
            if value is None:
                allowed = "a number, because no grid axis sets it here"
                raise refused(f"optimisation.{name}", value, allowed)
        cycle = getattr(self.optimisation.schedule, "epochs", self.fine_tune_epochs)
        if cycle != self.fine_tune_epochs:
            allowed = f"{self.fine_tune_epochs}, the fine_tune_epochs that it is to span"
            raise refused("optimisation.schedule.epochs", cycle, allowed)
        return self


def _absent(value: object) -> bool:
    return value is None


# Left out of the JSON of jobs when absent, so that zoos without them read as they always did.
Absent = Field(default=None, exclude_if=_absent)


class Metrics(Spec):
    """The families of landscape metrics; those that decide phases must be there."""

    evaluation: Evaluation
    hessian: Hessian | None = None
    connectivity: Connectivity
    similarity: Similarity
    spectra: WeightSpectra | None = Absent
    noise: GradientNoise | None = Absent
    learning_coefficient: LocalLearning | None = Absent


Numbers = WeightSpectra | GradientNoise | LocalLearning
Family = Evaluation | Hessian | Connectivity | Similarity | Numbers | Merging | Transfer

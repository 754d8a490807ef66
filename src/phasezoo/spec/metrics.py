"""Spec of what is measured on every checkpoint, and of the labels made from it."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Lt
from pydantic import Field, model_validator

from phasezoo.spec.base import (
    Fraction,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Share,
    Spec,
    Text,
    refused,
    require_unique,
)
from phasezoo.spec.training import Optimisation

Epochs = Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)]


class Measured(Spec):
    """A family of numbers measured at some of the saved epochs."""

    epochs: Epochs


class Evaluation(Measured):
    """Clean loss and error on the whole training and test set."""

    family: Literal["evaluation"] = "evaluation"


class Density(Spec):
    """The density of eigenvalues by stochastic Lanczos quadrature."""

    nodes: Annotated[PositiveInt, Field(ge=2)]  # of one probe: the steps of Lanczos
    probes: PositiveInt


class Hessian(Measured):
    """Curvature of the loss on a fixed sample."""

    family: Literal["hessian"] = "hessian"
    sets: Annotated[tuple[Literal["train", "test"], ...], Field(min_length=1)]
    samples: PositiveInt  # of each set
    eigenvalues: PositiveInt  # the largest
    iterations: PositiveInt  # of Lanczos, at most
    tolerance: PositiveFloat  # residual relative to the eigenvalue
    trace_error: Annotated[PositiveFloat, Lt(1)]  # standard error aimed at, relative to the trace
    probes: Annotated[PositiveInt, Field(ge=2)]  # of the trace, at most; none where it is exact
    density: Density | None = None
    memory: PositiveFloat = 2.0  # GiB that graphs may keep; changes the speed only

    @model_validator(mode="after")
    def _consistent(self) -> Hessian:
        require_unique("sets", self.sets, "set")
        if self.iterations < self.eigenvalues:
            allowed = f"at least {self.eigenvalues}, the eigenvalues asked for"
            raise refused("iterations", self.iterations, allowed)
        return self


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


class Metrics(Spec):
    """The families of landscape metrics; those that decide phases must be there."""

    evaluation: Evaluation
    hessian: Hessian | None = None
    connectivity: Connectivity
    similarity: Similarity


class PhaseCriteria(Spec):
    """Thresholds of the phase table (arXiv 2504.18072); see `phasezoo.phases.classify`."""

    seeds: Literal["mean", "median"]  # how seeds and pairs of a cell become one number
    train_loss: PositiveFloat  # from here on a cell is underfitted
    mode_connectivity: Share  # up to here, either sign, a cell is connected
    cka: Share  # from here on a connected cell generalises


Family = Evaluation | Hessian | Connectivity | Similarity | Merging | Transfer

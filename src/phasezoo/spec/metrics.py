"""Spec of what is measured on every checkpoint, and of the labels made from it."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from annotated_types import Lt
from pydantic import Field, model_validator

from phasezoo.spec.base import (
    Absent,
    Flag,
    Fraction,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Spec,
    Text,
    refused,
    require_unique,
)
from phasezoo.spec.downstream import Ensembling, Pruning, Robustness
from phasezoo.spec.measured import Measured
from phasezoo.spec.merging import Merging
from phasezoo.spec.numbers import GradientNoise, LocalLearning, WeightSpectra, WeightStatistics
from phasezoo.spec.transfer import NewTask, Transfer

__all__ = ["Transfer"]


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
    """Bezier curves and straight lines between the seeds of a cell.

    With `as_published` the numbers of a curve are those of `PUBLISHED_CURVE` and need not be
    given; one that is given must be the published one. Two flaws of the published code are not
    taken over: its learning rate, which compounds from epoch to epoch, and losses that include
    the penalty on the weights.
    """

    family: Literal["connectivity"] = "connectivity"
    as_published: Annotated[Flag, Field(exclude_if=operator.not_)] = False
    curve_epochs: PositiveInt
    batch_size: PositiveInt
    learning_rate: PositiveFloat
    momentum: Fraction
    weight_decay: NonNegativeFloat
    points: Annotated[PositiveInt, Field(ge=3)]  # on the curve and on the line, ends included
    refinements: NonNegativeInt  # rounds of new points around those that deviate most
    repeats: PositiveInt = 1  # curves of each pair, for the spread over the chance of training
    at_once: PositiveInt | None = Absent  # samples of one pass; as that of the training

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, given: Any) -> Any:
        published = isinstance(given, dict) and given.get("as_published") is True
        return {**PUBLISHED_CURVE, **given} if published else given

    @model_validator(mode="after")
    def _not_contradicting(self) -> Connectivity:
        for name, number in PUBLISHED_CURVE.items() if self.as_published else ():
            if getattr(self, name) != number:
                allowed = f"{number}, or nothing, because as_published is true"
                raise refused(name, getattr(self, name), allowed)
        return self


# compute_curve of the zoo paper's code: 3 bends, 10 epochs, 5 points
PUBLISHED_CURVE: Mapping[str, float] = {
    "curve_epochs": 10,
    "batch_size": 128,
    "learning_rate": 0.1,
    "momentum": 0.9,
    "weight_decay": 5e-4,
    "points": 5,
    "refinements": 0,
}


class Similarity(Measured):
    """How alike the functions and the weights of two seeds are."""

    family: Literal["similarity"] = "similarity"
    samples: Annotated[PositiveInt, Field(ge=4)]  # of the test set; unbiased CKA needs four
    layers: tuple[Text, ...] = ()  # modules whose outputs are compared too, beside the logits

    @model_validator(mode="after")
    def _once(self) -> Similarity:
        if self.layers:
            require_unique("layers", self.layers, "layer")
        return self


class Metrics(Spec):
    """The families of landscape metrics; those that decide phases must be there."""

    evaluation: Evaluation
    hessian: Hessian | None = None
    connectivity: Connectivity
    similarity: Similarity
    spectra: WeightSpectra | None = Absent
    noise: GradientNoise | None = Absent
    learning_coefficient: LocalLearning | None = Absent
    statistics: WeightStatistics | None = Absent


Numbers = WeightSpectra | GradientNoise | LocalLearning | WeightStatistics
Uses = Transfer | NewTask | Robustness | Pruning | Ensembling
Family = Evaluation | Hessian | Connectivity | Similarity | Numbers | Merging | Uses

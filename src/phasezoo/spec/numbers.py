"""Spec of further numbers of single models, none of which decides a phase."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from phasezoo.spec.base import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, refused
from phasezoo.spec.measured import Measured


class WeightSpectra(Measured):
    """Norms and heavy tails of the weight matrices; nothing to set."""

    family: Literal["spectra"] = "spectra"


class WeightStatistics(Measured):
    """Moments, quartiles and norms of every trained tensor; nothing to set."""

    family: Literal["statistics"] = "statistics"


class GradientNoise(Measured):
    """Noise scale of the gradient on a fixed sample of the training set."""

    family: Literal["noise"] = "noise"
    samples: Annotated[PositiveInt, Field(ge=3)]  # the jackknife leaves one out of the variance


class LocalLearning(Measured):
    """Local learning coefficient by Langevin sampling around a model."""

    family: Literal["learning_coefficient"] = "learning_coefficient"
    samples: Annotated[PositiveInt, Field(ge=2)]  # n: of the training set, in the posterior
    chains: Annotated[PositiveInt, Field(ge=2)]
    steps: Annotated[PositiveInt, Field(ge=8)]  # kept of each chain, after burn_in
    burn_in: NonNegativeInt  # steps that are thrown away before
    step_size: PositiveFloat  # epsilon, squared weight
    localisation: NonNegativeFloat  # gamma, pull towards the model per squared weight
    batch_size: PositiveInt

    @model_validator(mode="after")
    def _batch_within_sample(self) -> LocalLearning:
        if self.batch_size > self.samples:
            allowed = f"at most {self.samples}, the samples it is drawn from"
            raise refused("batch_size", self.batch_size, allowed)
        return self

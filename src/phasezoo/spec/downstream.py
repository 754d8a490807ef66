"""Spec of what becomes of models when they are used: disturbed inputs, pruning, ensembles."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, Self

from annotated_types import Le
from pydantic import Field, model_validator

from phasezoo.spec.base import (
    Absent,
    Fraction,
    NonNegativeFloat,
    PositiveInt,
    Share,
    Spec,
    Text,
    refused,
    require_unique,
)
from phasezoo.spec.measured import Measured
from phasezoo.spec.training import Optimisation
from phasezoo.spec.transfer import check_held, check_training

Severities = Annotated[tuple[NonNegativeFloat, ...], Field(min_length=1)]
Shares = Annotated[tuple[Share, ...], Field(min_length=1)]
Degrees = Annotated[tuple[Annotated[NonNegativeFloat, Le(180)], ...], Field(min_length=1)]


class Corruptions(Spec):
    """How images are disturbed: severities of each corruption, the mildest first.

    A severity of 0 changes nothing. Brightness goes from 0 (black) to 1 (the brightest pixel
    of a channel in the data set).
    """

    gaussian_noise: Severities | None = Absent  # its standard deviation, in brightness
    impulse_noise: Shares | None = Absent  # share of the pixels that turn black or bright
    blur: Severities | None = Absent  # standard deviation of the Gaussian, in pixels
    contrast: Shares | None = Absent  # share of the contrast that is lost
    brightness: Severities | None = Absent  # that is added
    rotation: Degrees | None = Absent  # to either side
    translation: Severities | None = Absent  # pixels, across and down, to either side
    pixelate: Shares | None = Absent  # share of the rows and columns that is lost
    occlusion: Shares | None = Absent  # side of a black square, as a share of the shorter side

    @model_validator(mode="after")
    def _as_many_of_each(self) -> Self:
        given = self.given
        if not given:
            raise refused("gaussian_noise", None, "at least one of the corruptions")
        count = len(next(iter(given.values())))
        for name, severities in given.items():
            if len(severities) != count:
                allowed = f"{count} severities, as of {next(iter(given))}"
                raise refused(name, severities, allowed)
            if any(b <= a for a, b in pairwise(severities)):
                raise refused(name, severities, "severities that increase")
        return self

    @property
    def given(self) -> dict[str, tuple[float, ...]]:
        """Severities by corruption, of those that are asked for."""
        every = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: found for name, found in every.items() if found is not None}


class Robustness(Measured):
    """Errors on disturbed test images, and how another data set is told from the own."""

    family: Literal["robustness"] = "robustness"
    corruptions: Corruptions
    shifted: Text | None = None  # a data set of the same classes
    foreign: Text | None = None  # one that is to be told from the own


Scope = Literal["global", "layer"]


class Pruning(Measured):
    """The smallest weights removed, among all of the model or in each layer."""

    family: Literal["pruning"] = "pruning"
    scopes: tuple[Scope, ...]
    sparsities: tuple[Fraction, ...]  # shares of the weights that are removed
    retrain_epochs: PositiveInt
    optimisation: Optimisation

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        require_unique("scopes", self.scopes, "scope")
        require_unique("sparsities", self.sparsities, "sparsity")
        if any(b <= a for a, b in pairwise(self.sparsities)):
            raise refused("sparsities", self.sparsities, "sparsities that increase")
        check_training(self.optimisation, self.retrain_epochs, "retrain_epochs")
        check_held(self.optimisation)
        return self


class Ensembling(Measured):
    """The seeds of a block and their pairs as ensembles; nothing to set."""

    family: Literal["ensembling"] = "ensembling"

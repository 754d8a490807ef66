"""Spec of merging: what models are made of several, and how."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from phasezoo.spec.base import (
    Absent,
    Fraction,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Spec,
    refused,
    require_unique,
)
from phasezoo.spec.measured import Measured

Way = Literal[
    "none",
    "weights",
    "activations",
    "products",
    "straight_through",
    "merge_many",
    "universe",
    "exhaustive",
]
MOST_COMBINATIONS = 50_000  # of permutations, that `exhaustive` tries
Correction = Literal["kept", "reset", "repair"]


class Learning(Spec):
    """How straight-through estimation learns permutations."""

    epochs: PositiveInt
    batch_size: PositiveInt
    learning_rate: PositiveFloat
    momentum: Fraction
    held_out: Annotated[PositiveFloat, Field(lt=1)]  # share of the training set that chooses


class Arms(Spec):
    """Every way of aligning with every correction, on paths of pairs and soups of seeds."""

    alignments: tuple[Way, ...]
    corrections: tuple[Correction, ...]
    restarts: NonNegativeInt = 0  # of weight matching
    samples: PositiveInt  # of the training set, for activations and statistics
    learning: Learning | None = None  # of straight_through

    @model_validator(mode="after")
    def _consistent(self) -> Arms:
        require_unique("alignments", self.alignments, "alignment")
        require_unique("corrections", self.corrections, "correction")
        if ("straight_through" in self.alignments) != (self.learning is not None):
            allowed = "given if and only if straight_through is among the alignments"
            raise refused("learning", self.learning and "a mapping", allowed)
        return self


class Merging(Measured):
    """Models made of several: midpoints, averages over seeds and over checkpoints."""

    family: Literal["merging"] = "merging"
    sweeps: PositiveInt  # of coordinate descent, at most
    points: Annotated[PositiveInt, Field(ge=3)]
    last_checkpoints: Annotated[tuple[NonNegativeInt, ...], Field(min_length=2)]
    arms: Arms | None = Absent

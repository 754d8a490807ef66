"""Spec of merging: what models are made of several, and how."""

from __future__ import annotations

import operator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from phasezoo.spec.base import (
    Absent,
    Flag,
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


# Left out of the JSON when off, so that jobs without it read as they always did.
Switch = Annotated[Flag, Field(exclude_if=operator.not_)]


class Learning(Spec):
    """How straight-through estimation learns permutations."""

    epochs: PositiveInt
    batch_size: PositiveInt
    learning_rate: PositiveFloat
    momentum: Fraction
    held_out: Annotated[PositiveFloat, Field(lt=1)]  # share of the training set that chooses


class Judged(Spec):
    """How far merged models, and what they are compared with, can be trusted."""

    bins: PositiveInt  # of confidence, of equal width; 15 as in published plots
    curves: Flag = False  # whether what lies in each bin is stored


class Arms(Spec):
    """Every way of aligning with every correction, on paths of pairs and soups of seeds.

    `judged` adds top-5 and calibration errors and more baselines, `recipes` means of the last one,
    two and more late checkpoints, `permutations` what every way found for every pair.
    """

    alignments: tuple[Way, ...]
    corrections: tuple[Correction, ...]
    restarts: NonNegativeInt = 0  # of weight matching
    samples: PositiveInt  # of the training set, for activations and statistics
    learning: Learning | None = None  # of straight_through
    judged: Judged | None = Absent
    recipes: Switch = False
    permutations: Switch = False

    @model_validator(mode="after")
    def _consistent(self) -> Arms:
        require_unique("alignments", self.alignments, "alignment")
        require_unique("corrections", self.corrections, "correction")
        if ("straight_through" in self.alignments) != (self.learning is not None):
            allowed = "given if and only if straight_through is among the alignments"
            raise refused("learning", self.learning and "a mapping", allowed)
        return self


class Merging(Measured):
    """Models made of several: midpoints, averages over seeds and over checkpoints.

    At an epoch before the last of `last_checkpoints`, what is made of these is missing.
    """

    family: Literal["merging"] = "merging"
    sweeps: PositiveInt  # of coordinate descent, at most
    points: Annotated[PositiveInt, Field(ge=3)]
    last_checkpoints: Annotated[tuple[NonNegativeInt, ...], Field(min_length=2)]
    arms: Arms | None = Absent

    def late_at(self, epoch: int) -> tuple[int, ...]:
        """The late checkpoints, where all of them lie no later than an epoch; else none."""
        return self.last_checkpoints if max(self.last_checkpoints) <= epoch else ()

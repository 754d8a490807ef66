"""Spec of what is learned from the weights of a zoo."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from phasezoo.spec.base import PositiveInt, Spec, require_unique
from phasezoo.spec.measured import Epochs

LeftOut = Literal["model", "cell"]


class Learning(Spec):
    """Baselines that predict errors and phases from statistics of the weights.

    Attributes:
        epochs: of the checkpoints that take part; weight statistics are measured there.
        left_out: what is predicted together, from nothing but others.
        folds: into which a hash of their names puts models or cells.
        resamples: of cells, from which the intervals of the scores are taken.
    """

    epochs: Epochs
    left_out: tuple[LeftOut, ...] = ("model", "cell")
    folds: Annotated[PositiveInt, Field(ge=2)] = 5
    resamples: Annotated[PositiveInt, Field(ge=100)] = 2000

    @model_validator(mode="after")
    def _once(self) -> Learning:
        require_unique("left_out", self.left_out, "word")
        return self

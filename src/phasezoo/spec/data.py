"""Spec of data sets: where samples come from, how they are split and disturbed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from phasezoo.spec.base import Fraction, NonNegativeInt, PositiveInt, Spec


class LabelNoise(Spec):
    """A share of the training labels is replaced by another class, drawn uniformly."""

    fraction: Fraction
    seed: NonNegativeInt


class Digits(Spec):
    """scikit-learn's handwritten digits: 1,797 grey images of 8 x 8 pixels, 10 classes."""

    source: Literal["digits"]
    recipe: PositiveInt
    train: Annotated[PositiveInt, Field(le=1787)]
    split_seed: NonNegativeInt
    keep: PositiveInt | None = None  # a stratified part of the training set; None keeps all
    rotation: Literal[0, 90, 180, 270] = 0  # degrees, counter-clockwise
    label_noise: LabelNoise | None = None

    @property
    def training_samples(self) -> int:
        """Number of training samples."""
        return min(self.keep or self.train, self.train)


DataSpec = Digits

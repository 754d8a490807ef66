"""Spec of data sets: where samples come from, how they are split and disturbed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from phasezoo.spec.base import Fraction, NonNegativeInt, PositiveInt, Spec, refused


class LabelNoise(Spec):
    """A share of the training labels is replaced by another class, drawn uniformly."""

    fraction: Fraction
    seed: NonNegativeInt


class Digits(Spec):
    """scikit-learn's handwritten digits: 1,797 grey images of 8 x 8 pixels, 10 classes."""

    source: Literal["digits"]
    recipe: PositiveInt
    train: Annotated[PositiveInt, Field(ge=10, le=1787)]  # each class on either side of the split
    split_seed: NonNegativeInt
    # a stratified part of the training set; None keeps all
    keep: Annotated[PositiveInt, Field(ge=10)] | None = None
    rotation: Annotated[NonNegativeInt, Field(lt=360)] = 0  # degrees, counter-clockwise
    label_noise: LabelNoise | None = None

    @model_validator(mode="after")
    def _keep_fits(self) -> Digits:
        if self.keep is not None and self.keep != self.train and self.keep > self.train - 10:
            allowed = f"at most {self.train - 10}, so that each class stays on either side; or null"
            raise refused("keep", self.keep, allowed)
        return self

    @property
    def training_samples(self) -> int:
        """Number of training samples."""
        return self.keep or self.train


DataSpec = Digits

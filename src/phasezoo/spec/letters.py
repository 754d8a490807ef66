"""Spec of pictures of letters, drawn from font files."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from annotated_types import Le
from pydantic import Field, model_validator

from phasezoo.spec.base import Fraction, NonNegativeFloat, NonNegativeInt, PositiveInt, refused
from phasezoo.spec.samples import Samples

FACES = 12  # of the DejaVu family


class Letters(Samples):
    """Latin capitals in twelve DejaVu faces, each drawn several times, a little disturbed.

    Tilt, shift and zoom of a picture are drawn evenly between minus and plus the number given.
    """

    grey: ClassVar[int] = 16  # the brightest

    source: Literal["letters"]
    letters: Annotated[PositiveInt, Field(ge=2, le=26)]  # classes: A, B, C, ...
    size: Annotated[PositiveInt, Field(ge=4)]  # pixels of a side
    copies: PositiveInt  # of every letter in every face
    tilt: Annotated[NonNegativeFloat, Le(180)]  # degrees
    shift: NonNegativeFloat  # pixels, across and down
    zoom: Fraction  # share of the size of a letter
    seed: NonNegativeInt

    @model_validator(mode="after")
    def _each_letter_on_either_side(self) -> Self:
        """A stratified part has every class, and leaves some of every class."""
        whole = self.letters * self.copies * FACES
        for name, part, of in (("train", self.train, whole), ("keep", self.keep, self.train)):
            if part is not None and part != of and not self.letters <= part <= of - self.letters:
                allowed = f"{self.letters} to {of - self.letters}, so that each letter is on "
                raise refused(name, part, f"{allowed}either side")
        if self.train == whole:
            allowed = f"at most {whole - self.letters} of the {whole}, so that some are for testing"
            raise refused("train", self.train, allowed)
        return self

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of an image, [C, H, W]."""
        return 1, self.size, self.size

"""Spec of the part of the training set that a model sees, where models see different parts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from phasezoo.spec.base import Fraction, PositiveFloat, Spec


class ByLabels(Spec):
    """Two parts that share no sample and differ in their labels (arXiv:2209.04836, section 5.4).

    The first model of a block sees `majority` of the second half of the classes and the rest of
    the first half, the second model all other samples; models after it see everything.
    """

    by: Literal["labels"]
    majority: Annotated[Fraction, Field(ge=0.5)] = 0.8

    def fewest(self, samples: int) -> int:
        """Samples of so many that one of the models sees, at the most."""
        return samples // 2


class ByChance(Spec):
    """A part for every seed, drawn from the whole training set without regard to labels."""

    by: Literal["chance"]
    share: Annotated[PositiveFloat, Field(lt=1)]  # of the training samples

    def fewest(self, samples: int) -> int:
        """Samples of so many that each model sees."""
        return max(1, round(self.share * samples))


Seen = Annotated[ByLabels | ByChance, Field(discriminator="by")]

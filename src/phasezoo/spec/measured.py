"""What every spec of a measurement has: the epochs it is made at."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from phasezoo.spec.base import NonNegativeInt, Spec

Epochs = Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)]


class Measured(Spec):
    """A family of numbers measured at some of the saved epochs."""

    epochs: Epochs

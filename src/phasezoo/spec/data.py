"""Spec of data sets: where samples come from, how they are split and disturbed."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from phasezoo.spec.base import PositiveInt
from phasezoo.spec.equation import EquationPoints
from phasezoo.spec.letters import Letters
from phasezoo.spec.plane import Quadrant
from phasezoo.spec.published import Published
from phasezoo.spec.samples import Samples
from phasezoo.spec.text import OpenWebText, Pydoc
from phasezoo.spec.web import Sha256, WebAddress


class Digits(Samples):
    """scikit-learn's handwritten digits: 1,797 grey images of 8 x 8 pixels, 10 classes."""

    fewest: ClassVar[int] = 10

    source: Literal["digits"]
    train: Annotated[PositiveInt, Field(ge=10, le=1787)]
    keep: Annotated[PositiveInt, Field(ge=10)] | None = None


class Npz(Samples):
    """A NumPy archive on the web with the arrays `images` and `labels`.

    How many samples and classes it has is known only when it is here.
    """

    source: Literal["npz"]
    url: WebAddress
    sha256: Sha256

    @property
    def origin(self) -> str:
        """The checksum, because one archive may have two addresses."""
        return f"{self.source} {self.sha256}"


Images = Digits | Letters | Npz | Published
DataSpec = Annotated[
    Images | EquationPoints | Quadrant | Pydoc | OpenWebText, Field(discriminator="source")
]

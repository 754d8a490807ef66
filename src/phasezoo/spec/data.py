"""Spec of data sets: where samples come from, how they are split and disturbed."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from phasezoo.spec.base import Absent, PositiveInt
from phasezoo.spec.equation import EquationPoints
from phasezoo.spec.glue import Glue
from phasezoo.spec.labelled_text import PythonText
from phasezoo.spec.letters import Letters
from phasezoo.spec.plane import Quadrant
from phasezoo.spec.published import Published
from phasezoo.spec.samples import Samples
from phasezoo.spec.text import OpenWebText, Pydoc
from phasezoo.spec.web import Sha256, WebAddress


class Digits(Samples):
    """scikit-learn's handwritten digits: 1,797 grey images of 8 x 8 pixels, 10 classes.

    Asked may be which digit it is, whether it is odd (parity), or at least five (size). The split
    is the same for all questions.
    """

    fewest: ClassVar[int] = 10
    shape: ClassVar[tuple[int, ...]] = (1, 8, 8)

    source: Literal["digits"]
    train: Annotated[PositiveInt, Field(ge=10, le=1787)]
    keep: Annotated[PositiveInt, Field(ge=10)] | None = None
    question: Literal["digit", "parity", "size"] | None = Absent  # nothing is asked as digit is

    @property
    def classes(self) -> int:
        """Answers to the question."""
        return 10 if self.question in (None, "digit") else 2


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
    Images | EquationPoints | Quadrant | Pydoc | OpenWebText | PythonText | Glue,
    Field(discriminator="source"),
]

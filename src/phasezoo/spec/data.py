"""Spec of data sets: where samples come from, how they are split and disturbed."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from phasezoo.spec.base import Absent, NonNegativeInt, PositiveInt, Spec, refused
from phasezoo.spec.equation import EquationPoints
from phasezoo.spec.glue import Glue
from phasezoo.spec.label_noise import LabelNoise
from phasezoo.spec.labelled_text import PythonText
from phasezoo.spec.published import Published
from phasezoo.spec.text import OpenWebText, Pydoc
from phasezoo.spec.web import Sha256, WebAddress


class Samples(Spec):
    """What all data sets have: a recipe, a split and disturbances."""

    kind: ClassVar[str] = "images"
    fewest: ClassVar[int] = 2  # classes at least; a split leaves each on either side

    source: str
    recipe: PositiveInt
    train: Annotated[PositiveInt, Field(ge=2)]
    split_seed: NonNegativeInt
    # a stratified part of the training set; None keeps all
    keep: Annotated[PositiveInt, Field(ge=2)] | None = None
    rotation: Annotated[NonNegativeInt, Field(lt=360)] = 0  # degrees, counter-clockwise
    label_noise: LabelNoise | None = None

    @model_validator(mode="after")
    def _keep_fits(self) -> Self:
        most = self.train - self.fewest
        if self.keep is not None and self.keep != self.train and self.keep > most:
            allowed = f"at most {most}, so that each class stays on either side; or null"
            raise refused("keep", self.keep, allowed)
        return self

    @property
    def training_samples(self) -> int:
        """Number of training samples."""
        return self.keep or self.train

    @property
    def origin(self) -> str:
        """Names the raw samples: equal for two data sets that are made of the same ones."""
        return self.source

    @property
    def division(self) -> tuple[int, ...]:
        """What decides which samples are for testing, for two data sets of one origin."""
        return self.train, self.split_seed


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


Images = Digits | Npz | Published
DataSpec = Annotated[
    Images | EquationPoints | Pydoc | OpenWebText | PythonText | Glue,
    Field(discriminator="source"),
]

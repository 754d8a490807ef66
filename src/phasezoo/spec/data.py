"""Spec of data sets: where samples come from, how they are split and disturbed."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, model_validator

from phasezoo.spec.base import NonNegativeInt, PositiveInt, Spec, refused
from phasezoo.spec.label_noise import LabelNoise
from phasezoo.spec.published import Published


def web_address(value: Any) -> str:
    """An address of a file on the web.

    Raises:
        ValueError: what is allowed, when it is none; one with a password would be published.
    """
    if isinstance(value, str) and re.fullmatch(r"https?://[!-~]+", value, re.IGNORECASE):
        try:
            parts = urlsplit(value)
            if parts.hostname and parts.username is None and parts.port != 0:
                return value
        except ValueError:  # no port, no host
            pass
    raise ValueError("an address that begins with http:// or https://, without a password")


def checksum(value: Any) -> str:
    """A SHA-256 checksum in lower case.

    Raises:
        ValueError: what is allowed, when it is none.
    """
    if isinstance(value, str) and re.fullmatch(r"[0-9a-fA-F]{64}", value):
        return value.lower()
    raise ValueError("the 64 hexadecimal digits of a SHA-256 checksum")


class Samples(Spec):
    """What all data sets have: a recipe, a split and disturbances."""

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
    url: Annotated[str, BeforeValidator(web_address)]
    sha256: Annotated[str, BeforeValidator(checksum)]

    @property
    def origin(self) -> str:
        """The checksum, because one archive may have two addresses."""
        return f"{self.source} {self.sha256}"


DataSpec = Annotated[Digits | Npz | Published, Field(discriminator="source")]

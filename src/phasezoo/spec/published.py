"""Spec of the image sets that everybody uses, in the split of their authors.

Their numbers are known before anything is downloaded, so that a study is checked first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from phasezoo.spec.base import NonNegativeInt, PositiveInt, Spec, refused
from phasezoo.spec.label_noise import LabelNoise

Name = Literal["mnist", "cifar10", "cifar100", "svhn", "tiny-imagenet", "stl10"]


@dataclass(frozen=True)
class Numbers:
    """What is in a set.

    Attributes:
        train: training samples, which come first.
        test: test samples.
        shape: of an image, [C, H, W].
        classes: number of classes.
        fewest: samples that a stratified part must have for each class to be in it: the training
            samples over those of the rarest class, rounded up.
    """

    train: int
    test: int
    shape: tuple[int, int, int]
    classes: int
    fewest: int


# Rarest of the training set: 5,421 times a five in MNIST, 4,659 times a nine in SVHN; the other
# sets have as many of each class.
SETS: dict[str, Numbers] = {
    "mnist": Numbers(60_000, 10_000, (1, 28, 28), classes=10, fewest=12),
    "cifar10": Numbers(50_000, 10_000, (3, 32, 32), classes=10, fewest=10),
    "cifar100": Numbers(50_000, 10_000, (3, 32, 32), classes=100, fewest=100),
    "svhn": Numbers(73_257, 26_032, (3, 32, 32), classes=10, fewest=16),
    "tiny-imagenet": Numbers(100_000, 10_000, (3, 64, 64), classes=200, fewest=200),
    "stl10": Numbers(5_000, 8_000, (3, 96, 96), classes=10, fewest=10),
}


class Published(Spec):
    """A well-known set of labelled images; training and test set are those of its authors.

    SVHN without its `extra` images, STL-10 without the unlabelled ones. The labels of
    TinyImageNet's test set were never published: its validation set is the test set.
    """

    kind: ClassVar[str] = "images"

    source: Name
    recipe: PositiveInt
    # a stratified part of the training set; None keeps all
    keep: Annotated[PositiveInt, Field(ge=2)] | None = None
    rotation: Annotated[NonNegativeInt, Field(lt=360)] = 0  # degrees, counter-clockwise
    label_noise: LabelNoise | None = None

    @model_validator(mode="after")
    def _keep_fits(self) -> Self:
        whole, fewest = self.numbers.train, self.numbers.fewest
        most = whole - fewest
        if self.keep is not None and self.keep != whole and not fewest <= self.keep <= most:
            allowed = f"{fewest} to {most}, so that each class stays on either side; or null"
            raise refused("keep", self.keep, allowed)
        return self

    @property
    def numbers(self) -> Numbers:
        """What is in the whole set."""
        return SETS[self.source]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of an image, [C, H, W]."""
        return self.numbers.shape

    @property
    def classes(self) -> int:
        """Number of classes."""
        return self.numbers.classes

    @property
    def fewest(self) -> int:
        """Samples that a stratified part must have for each class to be in it."""
        return self.numbers.fewest

    @property
    def training_samples(self) -> int:
        """Number of training samples."""
        return self.keep or self.numbers.train

    @property
    def origin(self) -> str:
        """Names the raw samples: equal for two data sets that are made of the same ones."""
        return self.source

    @property
    def division(self) -> tuple[int, ...]:
        """What decides which samples are for testing: nothing but their authors."""
        return ()

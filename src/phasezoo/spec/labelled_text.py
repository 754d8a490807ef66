"""Spec of text classification: windows of the text that travels with Python, and what is asked."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from phasezoo.spec.base import Absent, NonNegativeInt, PositiveInt, Spec, refused
from phasezoo.spec.web import Sha256

LABELLED_TEXT = "labelled text"  # the kind of a data set of tokens with one label each

Family = Literal["order", "spelling", "follows", "source"]
Domain = Literal["help", "docstrings", "code"]

# By family: what labels 0, 1, ... mean. Those of `source` are the groups of a domain.
CLASSES: dict[str, tuple[str, ...]] = {
    "order": ("as-written", "words-shuffled"),
    "spelling": ("as-written", "letters-swapped"),
    "follows": ("goes-on", "goes-elsewhere"),
}
TOPIC_GROUPS = ("syntax", "objects")  # of help()
MODULE_GROUPS = ("concurrency", "internet", "development", "values")  # of the standard library


class PythonText(Spec):
    """A question about windows of text that every Python brings along.

    `domain` is the text: the topics of help(), docstrings or source code of the standard library.
    `family` is the question: are the words in their order, are they spelt as they were, does the
    second half go on with the first, which group of topics or modules is it from.

    The side of a document follows from the text and `split_seed` alone: what one data set tests
    on, no other of that seed trains on, and no model of `pydoc` of that seed either.
    """

    kind: ClassVar[str] = LABELLED_TEXT

    source: Literal["python-text"]
    recipe: PositiveInt
    family: Family
    domain: Domain
    context: Annotated[PositiveInt, Field(ge=16, le=2**16)]  # bytes of a window, and its tokens
    train: Annotated[PositiveInt, Field(ge=2, le=10**9)]  # windows; as many of each class
    test: Annotated[PositiveInt, Field(ge=2, le=10**9)]
    split_seed: NonNegativeInt
    sha256: Sha256 | None = Absent  # of the text and the vocabulary; None takes that of any Python

    @model_validator(mode="after")
    def _classes_are_balanced(self) -> Self:
        for key in ("train", "test"):
            if (got := getattr(self, key)) % len(self.classes):
                allowed = f"a multiple of {len(self.classes)}, the classes, which are balanced"
                raise refused(key, got, allowed)
        return self

    @property
    def classes(self) -> tuple[str, ...]:
        """What the labels 0, 1, ... mean."""
        groups = TOPIC_GROUPS if self.domain == "help" else MODULE_GROUPS
        return CLASSES.get(self.family, groups)

    @property
    def training_samples(self) -> int:
        """Number of training windows."""
        return self.train

    @property
    def division(self) -> tuple[int, ...]:
        """What the side of a document depends on."""
        return (self.split_seed,)

    @property
    def origin(self) -> str:
        """Names the text; that of `help` is the text of `pydoc`."""
        return "pydoc" if self.domain == "help" else "standard library"

"""Spec of the sets of GLUE (Wang et al. 2019), tokenised as RoBERTa's authors did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from phasezoo.spec.base import Absent, PositiveInt, Spec, refused
from phasezoo.spec.labelled_text import LABELLED_TEXT

Name = Literal["cola", "sst2", "mrpc", "qqp", "mnli", "mnli-mismatched", "qnli", "rte", "wnli"]


@dataclass(frozen=True)
class Numbers:
    """What is in a set: training texts, labelled texts for development, and classes in order."""

    train: int
    test: int
    classes: tuple[str, ...]


_ENTAILED = ("entailment", "not_entailment")
_INFERRED = ("entailment", "neutral", "contradiction")
SETS: dict[str, Numbers] = {
    "cola": Numbers(8_551, 1_043, ("unacceptable", "acceptable")),
    "sst2": Numbers(67_349, 872, ("negative", "positive")),
    "mrpc": Numbers(3_668, 408, ("not_equivalent", "equivalent")),
    "qqp": Numbers(363_846, 40_430, ("not_duplicate", "duplicate")),
    "mnli": Numbers(392_702, 9_815, _INFERRED),
    "mnli-mismatched": Numbers(392_702, 9_832, _INFERRED),
    "qnli": Numbers(104_743, 5_463, _ENTAILED),
    "rte": Numbers(2_490, 277, _ENTAILED),
    "wnli": Numbers(635, 71, ("not_entailment", "entailment")),
}


class Glue(Spec):
    """A set of GLUE with one label for each text or pair of texts.

    The labels of the test sets were never published: the sets for development are the test sets.
    That of MNLI from the genres of its training set is `mnli`, the other `mnli-mismatched`.
    """

    kind: ClassVar[str] = LABELLED_TEXT

    source: Literal["glue"]
    set: Name
    recipe: PositiveInt
    context: Annotated[PositiveInt, Field(ge=8, le=2**16)]  # tokens; longer texts are cut
    # a stratified part of the training set; None keeps all
    keep: Annotated[PositiveInt, Field(ge=2)] | None = Absent

    @model_validator(mode="after")
    def _keep_fits(self) -> Self:
        most = self.numbers.train - len(self.classes)
        if self.keep is not None and not len(self.classes) <= self.keep <= most:
            allowed = f"{len(self.classes)} to {most}, so that each class stays on either side"
            raise refused("keep", self.keep, f"{allowed}; or null")
        return self

    @property
    def numbers(self) -> Numbers:
        """What is in the whole set."""
        return SETS[self.set]

    @property
    def classes(self) -> tuple[str, ...]:
        """What the labels 0, 1, ... mean."""
        return self.numbers.classes

    @property
    def training_samples(self) -> int:
        """Number of training texts."""
        return self.keep or self.numbers.train

    @property
    def origin(self) -> str:
        """Names the texts: equal for two data sets that are made of the same ones."""
        return f"{self.source} {self.set.removesuffix('-mismatched')}"

    @property
    def division(self) -> tuple[int, ...]:
        """What decides which texts are for testing: nothing but their authors."""
        return ()

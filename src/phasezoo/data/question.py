"""What is asked of an image, where that is not the class its authors gave it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from phasezoo.data.source import Source
from phasezoo.spec.data import Digits, Images

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Question:
    """Two answers to a digit; the second is that of the digits named."""

    title: str
    classes: tuple[str, str]
    second: tuple[int, ...]


QUESTIONS: Mapping[str, Question] = {
    "parity": Question("parity of", ("even", "odd"), (1, 3, 5, 7, 9)),
    "size": Question("size of", ("small", "large"), (5, 6, 7, 8, 9)),
}


def asked(source: Source, spec: Images) -> Source:
    """The source with the answers to the question of a spec for labels.

    A split is made before, by the published classes: two data sets that differ in nothing but
    their question have the same images on either side.
    """
    if not isinstance(spec, Digits) or spec.question in (None, "digit"):
        return source
    question = QUESTIONS[spec.question]
    return replace(
        source,
        title=f"{source.title}: {question.title} the digit",
        classes=question.classes,
        labels=np.isin(source.labels, question.second).astype(np.int64),
    )

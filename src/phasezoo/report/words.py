"""In words: metrics that decide about labels, their thresholds, what losses and errors are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """How a deciding metric is called: in a sentence, on a line of a figure, and in which unit."""

    title: str
    short: str
    unit: str = ""
    factor: float = 1

    def value(self, threshold: float) -> str:
        """A threshold with its unit: ``1.58 percentage points``."""
        number = f"{threshold * self.factor:.3g}"
        unit = self.unit.removesuffix("s") if number == "1" else self.unit
        return f"{number} {unit}".strip()


WORDS = {
    "train_loss": Word("training loss", "loss"),
    "mode_connectivity": Word("barrier", "barrier", "percentage points", 100),
    "cka": Word("CKA", "CKA"),
    "test_error": Word("test error", "test error", "%", 100),
}
NOUNS = {"phases": "phase", "regimes": "regime"}  # what a label is called, by scheme


@dataclass(frozen=True)
class Judged:
    """What loss and error of a kind of data are, and the unit of the loss."""

    says: str
    loss: str = "nats"


JUDGED = {  # by kind of data
    "images": Judged(
        "Loss is the mean cross-entropy of the classes, error the share of samples misclassified."
    ),
    "text": Judged(
        "Loss is the mean cross-entropy of the next token, error the share of tokens that are not "
        "the likeliest."
    ),
    "labelled text": Judged(
        "Loss is the mean cross-entropy of the classes, error the share of texts misclassified."
    ),
    "points": Judged(
        "Loss is the sum of the mean squared residuals of the equation and its conditions, error "
        "the relative L2 distance from the solution, which may exceed 100 %.",
        loss="",
    ),
}

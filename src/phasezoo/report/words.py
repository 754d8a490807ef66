"""Metrics that decide about labels, and their thresholds, in words."""

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

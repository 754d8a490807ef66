"""What can be told from the weights of a model: predictions of baselines, and how good they are."""

from __future__ import annotations

from phasezoo.store.variables.phases import FLAGS
from phasezoo.store.variables.variable import OF_MODEL, Family, Variable

_FAMILY = Family("learning", "learning")
HOW = ("left_out", "inputs", "learner")
_PREDICTED = (*OF_MODEL, *HOW)

PREDICTIONS = (
    _FAMILY.number(_PREDICTED, "predicted_test_error", "test error as learned from other models"),
    _FAMILY.number(
        _PREDICTED,
        "predicted_generalisation_gap",
        "test error minus training error as learned from other models",
    ),
    Variable(
        "predicted_phase",
        "learning",
        _PREDICTED,
        "",
        "phase of the cell as learned from other models",
        "learning",
        "int8",
        FLAGS,
    ),
)
ENDS = {"": "value", "_low": "low", "_high": "high"}  # of a score: itself and its interval


def _says(part: str, meaning: str) -> str:
    return meaning if part == "value" else f"{part} end of the 95 % interval: {meaning}"


SCORES = tuple(
    _FAMILY.number(HOW, f"{name}{end}", _says(part, meaning))
    for name, meaning in (
        ("test_error_r2", "coefficient of determination of predicted_test_error"),
        ("generalisation_gap_r2", "coefficient of determination of predicted_generalisation_gap"),
        ("phase_accuracy", "share of models whose predicted_phase is right"),
        ("phase_balanced_accuracy", "mean over the phases of the share of models that are right"),
    )
    for end, part in ENDS.items()
)
LEARNING = (*PREDICTIONS, *SCORES)

"""The label of a cell, what decided it, and how certain it is."""

from __future__ import annotations

from phasezoo.store.variables.variable import OF_CELL, Family, Variable
from phasezoo.vocabulary import PHASE_MEANINGS

_FAMILY = Family("phases", "phases")
FLAGS = {int(p): p.name.lower() for p in PHASE_MEANINGS}


def _count(name: str, meaning: str) -> Variable:
    return Variable(name, "phases", OF_CELL, "1", meaning, "phases", "int16")


LABELS = (
    Variable("phase", "phases", OF_CELL, "", "phase of the cell", "phases", "int8", FLAGS),
    _FAMILY.number(
        OF_CELL, "confidence", "share of resampled seeds and pairs that give the same label"
    ),
    _FAMILY.truth(
        OF_CELL, "near_border", "whether the label changes when a threshold is moved a little"
    ),
    _count("models", "models that took part"),
    _count("diverged", "models that diverged"),
    _count("collapsed_models", "models that collapsed"),
    _count("dissenting_models", "models on the other side of the threshold of training loss"),
)
DECIDED = {
    name: _FAMILY.number(OF_CELL, f"{name}_of_cell", f"{meaning} that decided")
    for name, meaning in (
        ("train_loss", "training loss"),
        ("mode_connectivity", "mode connectivity"),
        ("cka", "CKA"),
        ("test_error", "test error"),
    )
}
PHASES = (*LABELS, *DECIDED.values())

"""The label of a cell, and what decided it."""

from __future__ import annotations

from phasezoo.store.variables.variable import OF_CELL, Family, Variable
from phasezoo.vocabulary import PHASE_MEANINGS

_FAMILY = Family("phases", "phases")
_FLAGS = {int(p): p.name.lower() for p in PHASE_MEANINGS}


def _count(name: str, meaning: str) -> Variable:
    return Variable(name, "phases", OF_CELL, "1", meaning, "phases", "int16")


PHASES = (
    Variable("phase", "phases", OF_CELL, "", "phase of the cell", "phases", "int8", _FLAGS),
    _FAMILY.number(OF_CELL, "train_loss_of_cell", "training loss that decided"),
    _FAMILY.number(OF_CELL, "mode_connectivity_of_cell", "mode connectivity that decided"),
    _FAMILY.number(OF_CELL, "cka_of_cell", "CKA that decided"),
    _count("models", "models that took part"),
    _count("diverged", "models that diverged"),
    _count("collapsed_models", "models that collapsed"),
)

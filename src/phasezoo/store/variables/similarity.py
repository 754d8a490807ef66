"""How alike two models are, as functions and as vectors."""

from __future__ import annotations

from phasezoo.store.variables.variable import OF_PAIR, Family

_FAMILY = Family("similarity")

SIMILARITY = (
    _FAMILY.number(OF_PAIR, "cka", "linear CKA of the logits on test samples"),
    _FAMILY.number(OF_PAIR, "l2_distance", "Euclidean distance of the parameters"),
)

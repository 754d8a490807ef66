"""What a model is worth on a second task."""

from __future__ import annotations

from phasezoo.store.variables.variable import OF_MODEL, Family

_FAMILY = Family("transfer", "transfer")

TRANSFER = (
    _FAMILY.number(OF_MODEL, "fine_tuned_error", "test error on the second task after fine-tuning"),
    _FAMILY.number(
        OF_MODEL, "scratch_error", "test error on the second task, trained from scratch"
    ),
    _FAMILY.number(
        OF_MODEL,
        "transfer_gain",
        "scratch_error minus fine_tuned_error; positive: the zoo helps",
    ),
)

"""Curves and straight lines between two models."""

from __future__ import annotations

from phasezoo.store.variables.variable import OF_PAIR, Family

_FAMILY = Family("connectivity")

CONNECTIVITY = (
    _FAMILY.number(
        OF_PAIR,
        "mode_connectivity",
        "mean training error of the ends minus that of the point of the Bezier curve that "
        "deviates most from it; negative is a barrier",
    ),
    _FAMILY.number(OF_PAIR, "mode_connectivity_test", "the same in test error"),
    _FAMILY.number(OF_PAIR, "mode_connectivity_loss", "the same in training loss"),
    _FAMILY.number(
        OF_PAIR,
        "linear_barrier",
        "largest training loss on the straight line minus the mean of its ends",
    ),
    _FAMILY.number(
        OF_PAIR,
        "linear_barrier_error",
        "largest training error on the straight line minus the mean of its ends",
    ),
)

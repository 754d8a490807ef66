"""Curves and straight lines between two models."""

from __future__ import annotations

from phasezoo.store.variables.variable import OF_PAIR, Family

_FAMILY = Family("connectivity")
ALONG = (*OF_PAIR, "t")

_CURVE = (
    _FAMILY.number(
        OF_PAIR,
        "mode_connectivity",
        "mean training error of the ends minus that of the point of the Bezier curve that "
        "deviates most from it; negative is a barrier",
    ),
    _FAMILY.number(
        OF_PAIR,
        "mode_connectivity_standard_error",
        "standard error of the mean over independently trained curves; missing for one curve",
    ),
    _FAMILY.number(OF_PAIR, "mode_connectivity_test", "the same in test error"),
    _FAMILY.number(OF_PAIR, "mode_connectivity_loss", "the same in training loss"),
    _FAMILY.number(OF_PAIR, "mode_connectivity_test_loss", "the same in test loss"),
    _FAMILY.number(
        OF_PAIR,
        "mode_connectivity_at",
        "place on the curve of the point that decides mode_connectivity; 0: no point deviates "
        "more than the ends, so that the sign says which end is better",
    ),
    _FAMILY.number(
        OF_PAIR,
        "curve_barrier",
        "largest training loss on the Bezier curve minus the mean of its ends",
    ),
    _FAMILY.number(
        OF_PAIR,
        "curve_barrier_error",
        "largest training error on the Bezier curve minus the mean of its ends",
    ),
)
_LINE = (
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
    _FAMILY.number(OF_PAIR, "linear_barrier_test", "linear_barrier in test loss"),
    _FAMILY.number(OF_PAIR, "linear_barrier_test_error", "linear_barrier in test error"),
)
_PROFILES = tuple(
    _FAMILY.number(ALONG, f"{path}_{name}", f"{meaning} along the {title}")
    for path, title in (("curve", "Bezier curve"), ("line", "straight line"))
    for name, meaning in (
        ("train_loss", "training loss"),
        ("train_error", "training error"),
        ("test_loss", "test loss"),
        ("test_error", "test error"),
    )
)

CONNECTIVITY = (*_CURVE, *_LINE, *_PROFILES)

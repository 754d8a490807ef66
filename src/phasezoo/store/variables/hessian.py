"""Curvature of the loss at a model."""

from __future__ import annotations

from phasezoo.store.variables.variable import OF_MODEL, Family

_FAMILY = Family("hessian")

HESSIAN = (
    _FAMILY.number(
        OF_MODEL,
        "hessian_top_eigenvalue",
        "largest eigenvalue of the Hessian of the training loss",
    ),
    _FAMILY.number(
        OF_MODEL,
        "hessian_top_eigenvalue_residual",
        "norm of H v - lambda v for the top Ritz pair",
    ),
    _FAMILY.truth(
        OF_MODEL, "hessian_top_eigenvalue_converged", "whether the residual met the tolerance"
    ),
    _FAMILY.number(OF_MODEL, "hessian_trace", "trace of the Hessian of the training loss"),
    _FAMILY.number(
        OF_MODEL, "hessian_trace_standard_error", "standard error of the mean over probes"
    ),
)

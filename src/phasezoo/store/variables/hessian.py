"""Curvature of the loss at a model, on a sample of the training set and one of the test set."""

from __future__ import annotations

from phasezoo.store.variables.variable import OF_MODEL, Family, Variable

_RANKED = (*OF_MODEL, "rank")
_ON_NODES = (*OF_MODEL, "quadrature")


def _of_set(suffix: str, loss: str) -> tuple[Variable, ...]:
    """The variables of a set; the suffix follows what is measured, before what is said of it."""
    family = Family("hessian", sample="test" if suffix else "train")
    top, trace = f"hessian_top_eigenvalue{suffix}", f"hessian_trace{suffix}"
    return (
        family.number(OF_MODEL, top, f"largest eigenvalue of the Hessian of the {loss} loss"),
        family.number(OF_MODEL, f"{top}_residual", "norm of H v - lambda v for the top Ritz pair"),
        family.truth(OF_MODEL, f"{top}_converged", "whether the residual met the tolerance"),
        family.number(
            _RANKED,
            f"hessian_eigenvalues{suffix}",
            f"largest eigenvalues of the Hessian of the {loss} loss",
        ),
        family.number(OF_MODEL, trace, f"trace of the Hessian of the {loss} loss"),
        family.number(
            OF_MODEL, f"{trace}_standard_error", "standard error of the trace; 0 if it is exact"
        ),
        family.truth(OF_MODEL, f"{trace}_converged", "whether the standard error met its target"),
        family.number(
            _ON_NODES,
            f"hessian_density{suffix}_node",
            f"nodes of the density of eigenvalues of the Hessian of the {loss} loss, ascending",
        ),
        family.number(
            _ON_NODES, f"hessian_density{suffix}_weight", "weights of the nodes; their sum is 1"
        ),
    )


HESSIAN = (*_of_set("", "training"), *_of_set("_test", "test"))

"""The largest eigenvalues of a symmetric operator, from a Krylov space."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasezoo.landscape.lanczos import Floats, Krylov

_EVERY = 2  # steps between two looks at the Ritz values, which cost as much as a small product


@dataclass(frozen=True)
class Eigenvalues:
    """The k largest Ritz values, descending, ||A x - value x||, and whether that is small."""

    values: Floats
    residuals: Floats
    converged: NDArray[np.bool_]


def top_eigenvalues(space: Krylov, k: int, tolerance: float, rounding: float) -> Eigenvalues:
    """The k largest (algebraic) Ritz values of a space.

    The residual of a Ritz pair is |beta s|, with beta the part of the last image outside of the
    space and s the last entry of the eigenvector of T (Parlett 1998, section 13.2); some
    eigenvalue lies within it, and no Ritz value is above the largest eigenvalue. A pair has
    converged when residual <= tolerance * |value|, or when the residual cannot be told from
    rounding.

    Args:
        space: of Lanczos; one that is not finite has no eigenvalues.
        k: how many; NaN and not converged where the space is smaller.
        tolerance: relative to the eigenvalue.
        rounding: relative precision of the operator.
    """
    values, residuals = np.full(k, np.nan), np.full(k, np.nan)
    if space.finite and len(space):
        found, vectors = space.eigen()
        count = min(k, len(found))
        values[:count] = found[:count]
        residuals[:count] = np.abs(space.off[-1] * vectors[-1, :count])
    floor = rounding * space.scale if space.finite and len(space) else 0.0
    converged = residuals <= np.maximum(tolerance * np.abs(values), floor)
    return Eigenvalues(values, residuals, converged)


def all_converged(k: int, tolerance: float, rounding: float) -> Callable[[Krylov], bool]:
    """The condition to end Lanczos on: all k pairs have converged."""

    def done(space: Krylov) -> bool:
        closed = space.off[-1] == 0
        if len(space) < k or (len(space) % _EVERY and not closed):
            return False
        return bool(top_eigenvalues(space, k, tolerance, rounding).converged.all())

    return done

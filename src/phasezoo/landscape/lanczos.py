"""The largest eigenvalue of a symmetric operator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.linalg import eigh_tridiagonal
from torch import Tensor

from phasezoo.landscape.curvature import Operator


@dataclass(frozen=True, slots=True)
class TopEigenvalue:
    """Largest Ritz value, the norm of its residual ||A x - value x||, and whether that is small."""

    value: float
    residual: float
    converged: bool


def top_eigenvalue(
    operator: Operator, start: Tensor, iterations: int, tolerance: float
) -> TopEigenvalue:
    """Largest (algebraic) eigenvalue by Lanczos with full reorthogonalisation.

    The residual of the top Ritz pair is |beta_k s_k|, with beta_k the next off-diagonal and s_k
    the last entry of the Ritz vector (Parlett 1998, section 13.2); some eigenvalue lies within it.

    Args:
        operator: symmetric, on vectors [P].
        start: [P], not zero; drawn by the caller.
        iterations: products at the most; fewer where P is smaller.
        tolerance: converged when residual <= tolerance * |value|.

    Raises:
        ValueError: `start` is zero or not finite, or `iterations` < 1.
    """
    norm = torch.linalg.vector_norm(start)
    if iterations < 1:
        raise ValueError(f"iterations: got {iterations}, allowed are at least 1")
    if not (norm.isfinite() and norm > 0):
        raise ValueError("start: got a vector that is zero or not finite, allowed is any other")
    basis = [start / norm]
    diagonal: list[float] = []
    off: list[float] = []
    best = TopEigenvalue(np.nan, np.inf, converged=False)
    for step in range(min(iterations, start.numel())):
        image = operator(basis[-1])
        diagonal.append(torch.dot(image, basis[-1]).item())
        if not np.isfinite(diagonal[-1]):
            return TopEigenvalue(np.nan, np.inf, converged=False)
        image = _orthogonal(image, basis)
        beta = torch.linalg.vector_norm(image).item()
        values, vectors = eigh_tridiagonal(diagonal, off, select="i", select_range=(step, step))
        residual = abs(beta * vectors[-1, 0])
        best = TopEigenvalue(float(values[0]), residual, residual <= tolerance * abs(values[0]))
        if best.converged or beta <= 1e-12 * max(map(abs, diagonal)):
            return TopEigenvalue(best.value, residual, converged=True)
        off.append(beta)
        basis.append(image / beta)
    return best


def _orthogonal(vector: Tensor, basis: list[Tensor]) -> Tensor:
    """`vector` minus its parts along the basis, taken out twice against rounding."""
    matrix = torch.stack(basis)  # [k, P]
    for _ in range(2):
        vector = vector - matrix.T @ (matrix @ vector)
    return vector

"""Distances and angles between parameter vectors."""

from __future__ import annotations

import torch
from torch import Tensor

CHUNK = 2**20  # parameters that are widened to float64 at once


def distances(vectors: Tensor) -> Tensor:
    """Euclidean distances [M, M] of vectors [M, P], from differences in float64.

    Not from a Gram matrix: ||a||^2 + ||b||^2 - 2 a.b loses all digits of models that are close.
    """
    squares = vectors.new_zeros((len(vectors),) * 2, dtype=torch.float64)
    for part in vectors.split(CHUNK, dim=1):
        wide = part.double()
        direct = torch.cdist(wide, wide, compute_mode="donot_use_mm_for_euclid_dist")
        squares += direct.square()
    return squares.sqrt()


def cosines(vectors: Tensor) -> Tensor:
    """Cosines [M, M] of the angles between vectors [M, P], from one Gram matrix in float64.

    Not a number where a vector is zero or not finite.
    """
    gram = vectors.new_zeros((len(vectors),) * 2, dtype=torch.float64)
    for part in vectors.split(CHUNK, dim=1):
        wide = part.double()
        gram += wide @ wide.T
    norms = gram.diagonal().sqrt()
    return (gram / norms.outer(norms)).clamp(-1, 1)

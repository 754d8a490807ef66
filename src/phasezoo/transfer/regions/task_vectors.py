"""Task vectors: what tuning has added to a body, and how alike two of them are."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from phasezoo.models.flat import Weights
from phasezoo.transfer.regions.start import Start


def bodies_of(start: Start, models: Sequence[Weights], classes: Sequence[int]) -> Tensor:
    """The bodies of networks tuned from a start, [M, D] float64; NaN where one diverged.

    Args:
        start: the pre-trained network.
        models: all weights of each.
        classes: outputs of the head of each.
    """
    pairs = zip(models, classes, strict=True)
    rows = [start.body_of(weights, count).double() for weights, count in pairs]
    return torch.stack(rows) if rows else torch.empty(0, start.layout.size, dtype=torch.float64)


def task_vectors(start: Start, models: Sequence[Weights], classes: Sequence[int]) -> Tensor:
    """Tuned minus pre-trained body, [M, D] float64, exact: the head is left out.

    The difference of two float32 numbers is rounded to float64 once, and not at all where their
    exponents differ by less than 29.

    Args:
        start: the pre-trained network.
        models: all weights of each tuned network.
        classes: outputs of the head of each.
    """
    return bodies_of(start, models, classes) - start.body.double()


def cosines(vectors: Tensor) -> Tensor:
    """Cosine of the angle between each two vectors, [M, M] float64, 1 on the diagonal.

    Not a number for a vector of length 0, or one that is not finite.

    Args:
        vectors: [M, D].
    """
    wide = vectors.double()
    units = wide / torch.linalg.vector_norm(wide, dim=1, keepdim=True)
    known = units.isfinite().all(dim=1)
    found: Tensor = (units @ units.T).clamp(-1, 1).fill_diagonal_(1.0)
    return found.where(known[:, None] & known, torch.nan)


def distances(vectors: Tensor) -> Tensor:
    """Euclidean distance of each two vectors, [M, M] float64, from their differences.

    Args:
        vectors: [M, D].
    """
    wide = vectors.double()
    found: Tensor = torch.cdist(wide, wide, compute_mode="donot_use_mm_for_euclid_dist")
    return found


def lengths(vectors: Tensor) -> Tensor:
    """Euclidean norm of each vector [M, D], [M] float64."""
    found: Tensor = torch.linalg.vector_norm(vectors.double(), dim=1)
    return found

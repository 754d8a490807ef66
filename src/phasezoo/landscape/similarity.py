"""How alike two models are, as functions and as vectors."""

from __future__ import annotations

import torch
from torch import Tensor


def linear_cka(first: Tensor, second: Tensor) -> float:
    """Linear centred kernel alignment ||X^T Y||_F^2 / (||X^T X||_F ||Y^T Y||_F), columns centred.

    In [0, 1]; invariant to orthogonal maps and isotropic scaling of either side (Kornblith et al.
    2019, section 4). Not a number where a side is constant over the samples: a collapsed model is
    not similar to anything.

    Args:
        first: [N, F]; computed in float64.
        second: [N, G].
    """
    X, Y = _centred(first), _centred(second)
    if X is None or Y is None:
        return float("nan")
    cross = torch.linalg.matrix_norm(X.T @ Y).square()
    own = torch.linalg.matrix_norm(X.T @ X) * torch.linalg.matrix_norm(Y.T @ Y)
    return float((cross / own).item())


def is_collapsed(features: Tensor, rounding: float = 1e-5) -> bool:
    """Whether features [N, F] are the same for every sample, up to float32 rounding."""
    wide = features.double()
    spread = (wide - wide.mean(dim=0)).abs().max()
    return bool(spread <= rounding * wide.abs().max())


def _centred(features: Tensor) -> Tensor | None:
    """Features with columns centred; None if there is nothing to compare."""
    wide = features.double()
    if not wide.isfinite().all() or is_collapsed(features):
        return None
    return wide - wide.mean(dim=0)


def l2_distance(first: Tensor, second: Tensor) -> float:
    """Euclidean distance of two parameter vectors [P]."""
    return float(torch.linalg.vector_norm(first.double() - second.double()).item())

"""Linear centred kernel alignment between all models at once, in the form of features."""

from __future__ import annotations

import torch
from torch import Tensor

BATCH, BATCHES = 128, 10  # of the zoo paper's code


def linear_cka(features: Tensor) -> Tensor:
    """||X^T Y||_F^2 / (||X^T X||_F ||Y^T Y||_F) between all models, columns centred.

    In [0, 1]; invariant to orthogonal maps and isotropic scaling of either side (Kornblith et al.
    2019, section 4). Biased upwards for few samples: see `debiased_cka`.

    Args:
        features: [M, N, F] of M models, float64.

    Returns:
        [M, M]; not a number where a side is constant over the samples.
    """
    return _aligned(_cross(_centred(features)))


def debiased_cka(features: Tensor) -> Tensor:
    """The same from unbiased estimates of HSIC (Song et al. 2012; Nguyen et al. 2021, section 2).

    With k_i = ||x_i||^2 of centred features, the U-statistic of linear kernels needs no [N, N]:
    n (n-3) HSIC = ||X^T Y||_F^2 - n / (n-2) sum_i k_i l_i + sum_i k_i sum_i l_i / ((n-1) (n-2)).
    Its expectation is 0 for independent sides, so it may be slightly negative.

    Args:
        features: [M, N, F] of M models, float64.

    Returns:
        [M, M]; not a number where an estimate of a side with itself is not positive.

    Raises:
        ValueError: fewer than 4 samples.
    """
    n = features.shape[1]
    if n < 4:
        raise ValueError(f"samples: got {n}, allowed are at least 4")
    X = _centred(features)
    k = X.square().sum(dim=2)  # [M, N]
    total = k.sum(dim=1)
    return _aligned(_cross(X) - n / (n - 2) * k @ k.T + total.outer(total) / ((n - 1) * (n - 2)))


def cka_as_published(features: Tensor) -> Tensor:
    """The plain mean of `linear_cka` over batches, as the zoo paper's code has it (CKA.py:64-146).

    Ten full batches of 128 samples in their order, or as many as there are; with 128 samples and
    ten features the bias is some hundredths. Not a number with fewer than 128.
    """
    full = features[:, : features.shape[1] // BATCH * BATCH].split(BATCH, dim=1)[:BATCHES]
    if features.shape[1] < BATCH:
        return features.new_full((len(features),) * 2, torch.nan)
    return torch.stack([linear_cka(batch) for batch in full]).mean(dim=0)


def cka_standard_error(features: Tensor) -> Tensor:
    """Jackknife standard error of `linear_cka` over the samples.

    Exact delete-one values: leaving out sample i takes n/(n-1) x_i y_i^T from the cross-product C
    of centred features, so ||C||_F^2 loses 2 n/(n-1) x_i^T C y_i - (n/(n-1))^2 k_i l_i. The
    jackknife needs no chance and no resampling, and is consistent for smooth functions of moments
    (Efron and Stein 1981).

    Args:
        features: [M, N, F] of M models, float64.

    Returns:
        [M, M], [first model, second model].
    """
    X = _centred(features)
    n = X.shape[1]
    scale = n / (n - 1)
    k = X.square().sum(dim=2)
    C = torch.einsum("anf,bng->abfg", X, X)
    moved = torch.einsum("anf,abfg,bng->nab", X, C, X)
    left = (
        C.square().sum(dim=(2, 3)) - 2 * scale * moved + scale**2 * torch.einsum("an,bn->nab", k, k)
    )
    values = torch.stack([_aligned(without) for without in left])
    return (values.var(dim=0, correction=0) * (n - 1)).sqrt()


def _centred(features: Tensor) -> Tensor:
    return features - features.mean(dim=1, keepdim=True)


def _cross(X: Tensor) -> Tensor:
    """||X_a^T X_b||_F^2 of all models [M, M], as one matrix product."""
    models, samples, width = X.shape
    columns = X.transpose(0, 1).reshape(samples, models * width)
    blocks = (columns.T @ columns).reshape(models, width, models, width)
    return blocks.square().sum(dim=(1, 3))


def _aligned(hsic: Tensor) -> Tensor:
    """HSIC [M, M] over the geometric mean of the diagonal, where that is positive."""
    own = hsic.diagonal()
    norms = torch.where(own > 0, own, torch.nan).sqrt()
    return hsic / norms.outer(norms)

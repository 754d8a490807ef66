"""What the values of each weight tensor are like: as many numbers whatever the width."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Floats = NDArray[np.float64]

OF_VALUES = (
    "mean",
    "standard_deviation",
    "skewness",
    "kurtosis",
    "minimum",
    "lower_quartile",
    "median",
    "upper_quartile",
    "maximum",
    "norm",
)
OF_MATRICES = ("spectral_norm", "stable_rank")
STATISTICS = (*OF_VALUES, *OF_MATRICES)


def has(shape: tuple[int, ...], statistic: str) -> bool:
    """Whether a tensor of some shape has a statistic: those of matrices need two axes."""
    return len(shape) >= 2 or statistic in OF_VALUES


def weight_statistics(tensors: Iterable[Tensor]) -> Floats:
    """The statistics of the weights of one model, [tensors, statistics] in float64.

    Moments, quartiles and extremes of the values (after Unterthiner et al. 2020, arXiv 2002.11448,
    who learn test accuracy from them), the Euclidean norm, and of a tensor of two axes or more,
    taken as the matrix [outputs, inputs * kernel], the largest singular value and the stable rank
    ||W||_F^2 / ||W||_2^2. Kurtosis is that in excess of a normal distribution. Where all values are
    the same, skewness and kurtosis are 0; where they are 0, so is the stable rank. Units: weights.

    None of them changes when units are permuted, but for rounding: an order of rows, columns or
    kernels is nothing that they see. They do change when a unit of ReLU is scaled.

    Args:
        tensors: in the order of the rows.

    Returns:
        NaN for a statistic that a tensor has not, and throughout for one that is not finite.
    """
    rows = [_of_tensor(tensor.detach().cpu().double()) for tensor in tensors]
    return np.stack(rows) if rows else np.empty((0, len(STATISTICS)))


def _of_tensor(tensor: Tensor) -> Floats:
    values = tensor.flatten().numpy()
    if not np.isfinite(values).all() or not values.size:
        return np.full(len(STATISTICS), np.nan)
    mean, deviation = values.mean(), values.std()
    scaled = (values - mean) / deviation if deviation > 0 else np.zeros_like(values)
    skewness = (scaled**3).mean()
    kurtosis = (scaled**4).mean() - 3 if deviation > 0 else 0.0
    quartiles = np.quantile(values, (0, 0.25, 0.5, 0.75, 1))
    norm = np.sqrt(np.square(values).sum())
    matrix = _of_matrix(tensor.flatten(1), norm) if tensor.dim() >= 2 else (np.nan, np.nan)
    return np.array([mean, deviation, skewness, kurtosis, *quartiles, norm, *matrix])


def _of_matrix(matrix: Tensor, norm: float) -> tuple[float, float]:
    """Spectral norm and stable rank; the Gram matrix of the shorter side has the same top."""
    short = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    top = float(torch.linalg.eigvalsh(short @ short.T)[-1].clamp_min(0))
    return top**0.5, float(norm**2 / top) if top > 0 else 0.0

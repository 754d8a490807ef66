"""Results that carry their doubt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and the standard error of its estimator, in the same unit."""

    value: float
    standard_error: float


def mean_of(samples: ArrayLike) -> Estimate:
    """The mean of independent samples and its standard error, s / sqrt(n).

    Raises:
        ValueError: fewer than 2 samples.
    """
    values = np.asarray(samples, dtype=np.float64)
    if values.size < 2:
        raise ValueError(f"samples: got {values.size}, allowed are at least 2")
    return Estimate(float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.size)))

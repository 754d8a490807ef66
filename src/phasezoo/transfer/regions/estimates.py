"""Numbers with intervals: percentiles of resamples, or Student's; chance has a name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from phasezoo import rng

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
INTERVAL = (0.025, 0.975)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and its 95 % interval; not a number where it cannot be told."""

    value: float
    low: float
    high: float


UNTOLD = Estimate(np.nan, np.nan, np.nan)


def generator(*names: object) -> np.random.Generator:
    """NumPy's generator of a name, on every machine the same."""
    return np.random.default_rng(rng.seed_of("regions", *names))


def interval(value: float, resampled: Floats) -> Estimate:
    """A number with the 2.5 % and 97.5 % quantiles of what resampling makes of it."""
    found = resampled[np.isfinite(resampled)]
    low, high = np.quantile(found, INTERVAL) if found.size else (np.nan, np.nan)
    return Estimate(value, float(low), float(high))


def student(values: Floats) -> Estimate:
    """The mean of finite numbers [n] and Student's interval of it; none below two.

    mean +- t s / sqrt(n), with the 97.5 % quantile t of n - 1 degrees of freedom: exact for normal
    numbers, however few.
    """
    known = values[np.isfinite(values)]
    value = float(known.mean()) if known.size else np.nan
    if known.size < 2:
        return Estimate(value, np.nan, np.nan)
    quantile = float(stats.t.ppf(INTERVAL[1], known.size - 1))
    half = quantile * float(known.std(ddof=1)) / known.size**0.5
    return Estimate(value, value - half, value + half)

"""Numbers with intervals: percentile bootstraps, with chance that has a name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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


def mean_of(values: Floats, resamples: int, *names: object) -> Estimate:
    """The mean of finite numbers [n] and its bootstrap; without an interval below two."""
    known = values[np.isfinite(values)]
    if known.size < 2:
        return Estimate(float(known.mean()) if known.size else np.nan, np.nan, np.nan)
    drawn = generator(*names).choice(known, size=(resamples, known.size))
    return interval(float(known.mean()), drawn.mean(axis=1))

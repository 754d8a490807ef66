"""The power law in the upper tail of a set of positive numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from phasezoo.landscape.estimate import Estimate

FEWEST = 8  # values of a tail; with fewer, exponent and distance say nothing


@dataclass(frozen=True, slots=True)
class PowerLawTail:
    """Exponent of p(x) ~ x^-alpha from `start` on, how well it fits, and on how many values.

    Where there are too few values, `values` is 0 and the rest is not a number.
    """

    exponent: Estimate
    distance: float  # Kolmogorov-Smirnov, in [0, 1]
    start: float  # smallest value of the tail
    values: int  # in the tail


NO_TAIL = PowerLawTail(Estimate(np.nan, np.nan), np.nan, np.nan, 0)


def power_law_tail(values: ArrayLike, fewest: int = FEWEST) -> PowerLawTail:
    """Fit a continuous power law to the tail that is most like one.

    For every tail of at least `fewest` values, alpha = 1 + n / sum_i ln(x_i / start) is the
    maximum likelihood, and D = max_i |S(x_i) - P(x_i)| its distance, with P = 1 - (x / start)^(1
    - alpha) and S the share of the tail below x, as in the authors' code; the tail of the
    smallest D is chosen (Clauset, Shalizi and Newman 2009, eq. 3.1 and section 3.3). The standard
    error, (alpha - 1) / sqrt(n), takes the start of the tail as known (ibid., eq. 3.2).

    Args:
        values: positive numbers, [N]; the order does not matter.
        fewest: values that a tail must have, at least 2.

    Raises:
        ValueError: a value is not positive and finite, or `fewest` < 2.
    """
    x = np.sort(np.asarray(values, dtype=np.float64))
    if fewest < 2:
        raise ValueError(f"fewest: got {fewest}, allowed are at least 2")
    if not (np.isfinite(x).all() and (x > 0).all()):
        raise ValueError("values: got one that is not, allowed are positive finite numbers")
    places = np.arange(x.size - fewest + 1) if x.size >= fewest else np.arange(0)
    logs = np.log(x)
    n = x.size - places
    excess = np.cumsum(logs[::-1])[::-1][places] - n * logs[places]
    places, n, excess = (a[excess > 1e-12 * n] for a in (places, n, excess))  # not all equal
    if not places.size:
        return NO_TAIL
    slopes = n / excess  # alpha - 1
    behind = np.arange(x.size) - places[:, None]  # [tails, N]; negative outside of the tail
    above = np.exp(-slopes[:, None] * (logs - logs[places, None]))  # 1 - P
    distances = np.where(behind >= 0, np.abs(1 - above - behind / n[:, None]), 0).max(axis=1)
    best = int(distances.argmin())
    slope, size = float(slopes[best]), int(n[best])
    exponent = Estimate(1 + slope, float(slope / np.sqrt(size)))
    return PowerLawTail(exponent, float(distances[best]), float(x[places[best]]), size)

"""The mean of what several Markov chains visited, and how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasezoo.landscape.estimate import Estimate

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ChainMean:
    """Mean over chains, its Monte Carlo error, and split R-hat (1 where the chains agree)."""

    mean: Estimate
    r_hat: float
    effective_samples: float


def chain_mean(draws: Floats) -> ChainMean:
    """The mean of correlated draws of several chains.

    Each chain is split in two halves. R-hat = sqrt(V / W), with W the mean variance within a half
    and V = (T - 1) / T W + B, B the variance of the means of halves. The standard error is
    sqrt(V / N_eff), N_eff = N / (1 + 2 sum_t rho_t) with autocorrelations rho_t from all halves,
    summed in pairs as long as these are positive, and made to fall (Geyer 1992; Gelman et al. 2013,
    Bayesian Data Analysis, sections 11.4 and 11.5). N_eff is not taken larger than N.

    Args:
        draws: [chains, steps], at least 8 steps; one that is not finite gives NaN.

    Raises:
        ValueError: fewer than 8 steps.
    """
    if draws.shape[1] < 8:
        raise ValueError(f"steps: got {draws.shape[1]}, allowed are at least 8")
    if not np.isfinite(draws).all():
        return ChainMean(Estimate(np.nan, np.nan), np.nan, np.nan)
    length = draws.shape[1] // 2
    halves = np.concatenate([draws[:, :length], draws[:, -length:]])
    within = float(halves.var(axis=1, ddof=1).mean())
    total = (length - 1) / length * within + float(halves.mean(axis=1).var(ddof=1))
    if total == 0:  # nothing moved, so nothing is uncertain
        return ChainMean(Estimate(float(draws.mean()), 0.0), 1.0, float(draws.size))
    r_hat = np.sqrt(total / within) if within > 0 else np.inf
    correlation = 1 - (within - _autocovariance(halves).mean(axis=0)) / total
    effective = draws.size / max(1.0, _time(correlation))
    return ChainMean(
        Estimate(float(draws.mean()), float(np.sqrt(total / effective))), float(r_hat), effective
    )


def _autocovariance(chains: Floats) -> Floats:
    """Autocovariance [chains, lags], the sum at each lag divided by the length less one."""
    length = chains.shape[1]
    centred = chains - chains.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(centred, 2 * length, axis=1)  # padded, so that ends do not meet
    power = spectrum.real**2 + spectrum.imag**2
    covariance: Floats = np.fft.irfft(power, axis=1)[:, :length] / (length - 1)
    return covariance


def _time(correlation: Floats) -> float:
    """Integrated autocorrelation time 1 + 2 sum rho_t by the initial monotone sequence."""
    correlation = np.concatenate([[1.0], correlation[1:]])
    pairs = correlation[: len(correlation) // 2 * 2].reshape(-1, 2).sum(axis=1)
    negative = np.flatnonzero(pairs < 0)
    kept = pairs[: negative[0]] if negative.size else pairs
    return float(2 * np.minimum.accumulate(kept).sum() - 1) if kept.size else 1.0

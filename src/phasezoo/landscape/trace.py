"""The trace of a symmetric operator from random probes and a Krylov space."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import ndtr, stdtrit
from torch import Tensor

from phasezoo.landscape.estimate import Estimate, mean_of
from phasezoo.landscape.lanczos import Krylov, dots, outside
from phasezoo.landscape.products import Operator

PILOT = 30  # probes before the spread is trusted: fewer state an error too small too often
_WITHIN_TWO = float(ndtr(2.0))


@dataclass(frozen=True)
class Trace:
    """A trace, whether its relative standard error met the target, and the probes it took."""

    estimate: Estimate
    converged: bool
    probes: int


NO_TRACE = Trace(Estimate(math.nan, math.nan), converged=False, probes=0)


def estimated_traces(
    operator: Operator,
    spaces: Sequence[Krylov],
    basis: Tensor,
    target: float,
    most: int,
    generators: Sequence[torch.Generator],
) -> list[Trace]:
    """Traces as tr(T) + tr(P A P), P = I - Q Q^T, the second by Hutchinson's estimator.

    T = Q^T A Q is known from Lanczos, so that only what lies outside of its space is left to
    chance: the mean of v^T P A P v over Rademacher probes v. Unbiased, because Q does not depend
    on them. The variance of a probe is at most 2 ||P A P||_F^2 instead of 2 ||A||_F^2 (the
    deflation of Hutch++, Meyer et al. 2021, with a space that is there already).

    The standard error is s / sqrt(n), widened for the few degrees of freedom so that the trace
    lies within two of it in 95 of 100 cases (Student's t; `benchmarks/trace_estimators.py`).

    A pilot of `PILOT` probes tells how many are needed for the target; these are drawn, and the
    number is corrected by all that have been seen until it is reached.

    Args:
        operator: symmetric, on [M, P].
        spaces: of Lanczos, one per row.
        basis: [M, m, P], their orthonormal bases.
        target: standard error relative to the trace.
        most: probes at the most, at least 2.
        generators: one per row.
    """
    samples: list[list[float]] = [[] for _ in spaces]
    known = [sum(space.diagonal) for space in spaces]
    needed = [min(PILOT, most) if space.finite else 0 for space in spaces]
    while any(len(found) < need for found, need in zip(samples, needed, strict=True)):
        probes = torch.zeros_like(basis[:, 0])
        asked = [row for row, need in enumerate(needed) if len(samples[row]) < need]
        for row in asked:
            probes[row] = signs_like(probes[row], generators[row])
        probes = outside(probes, basis, passes=1)
        forms = dots(probes, operator(probes)).tolist()
        for row in asked:
            samples[row].append(forms[row])
            if len(samples[row]) == needed[row]:
                needed[row] = _needed(samples[row], known[row], target, most)
    return [_trace(*found, target) for found in zip(samples, known, strict=True)]


def _needed(samples: list[float], known: float, target: float, most: int) -> int:
    """Probes that bring the standard error to the target, by the spread of those drawn."""
    estimate, count = _mean(samples), len(samples)
    allowed = target * abs(known + estimate.value)
    if not estimate.standard_error > allowed:  # met, or not a number
        return count
    wanted = count * (estimate.standard_error / allowed) ** 2 if allowed else np.inf
    return int(min(most, max(count + 1, math.ceil(min(wanted, 1e9)))))


def _mean(samples: list[float]) -> Estimate:
    """The mean, its standard error widened by Student's t."""
    plain = mean_of(samples)
    wider = stdtrit(len(samples) - 1, _WITHIN_TWO) / 2
    return Estimate(plain.value, plain.standard_error * float(wider))


def _trace(samples: list[float], known: float, target: float) -> Trace:
    if not samples:
        return NO_TRACE
    rest = _mean(samples)
    estimate = Estimate(known + rest.value, rest.standard_error)
    converged = estimate.standard_error <= target * abs(estimate.value)
    return Trace(estimate, converged, len(samples))


def signs_like(vector: Tensor, generator: torch.Generator) -> Tensor:
    """Rademacher numbers, the same on every device."""
    drawn = torch.randint(0, 2, vector.shape, generator=generator, dtype=torch.int8)
    return drawn.mul_(2).sub_(1).to(vector.device, vector.dtype)

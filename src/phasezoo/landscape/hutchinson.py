"""The trace of a symmetric operator from random probes."""

from __future__ import annotations

import torch

from phasezoo.landscape.curvature import Operator
from phasezoo.landscape.estimate import Estimate, mean_of


def hutchinson_trace(
    operator: Operator, size: int, probes: int, generator: torch.Generator, device: torch.device
) -> Estimate:
    """Estimate tr(A) as the mean of v^T A v over Rademacher probes v (Hutchinson 1990).

    Unbiased; the variance of one probe is 2 (||A||_F^2 - sum_i A_ii^2). The trace of an indefinite
    operator may be negative, and is returned as it is.

    Args:
        operator: symmetric, on vectors [size].
        size: length of the vectors.
        probes: number of v, at least 2.
        generator: the only source of chance.
        device: where the operator works.
    """
    samples = []
    for _ in range(probes):
        probe = torch.randint(0, 2, (size,), generator=generator).float().mul_(2).sub_(1).to(device)
        samples.append(torch.dot(probe.double(), operator(probe).double()).item())
    return mean_of(samples)

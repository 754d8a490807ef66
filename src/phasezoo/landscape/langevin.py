"""Sampling around a point, with a density that falls with a loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Floats = NDArray[np.float64]

# From positions [C, P] to losses less those at the centre [C], and gradients [C, P].
Gradient = Callable[[Tensor], tuple[Tensor, Tensor]]
Noise = Callable[[], Tensor]


@dataclass(frozen=True, kw_only=True, slots=True)
class Langevin:
    """How long and how far to walk; all are 0 or more, `steps` and `step_size` more than 0."""

    inverse_temperature: float  # of the loss, n beta
    localisation: float  # gamma, per squared weight
    step_size: float  # epsilon, squared weight
    burn_in: int  # steps thrown away
    steps: int  # steps kept after them


@dataclass(frozen=True, slots=True)
class Walk:
    """What chains met on their way, each [C, steps]."""

    excess: Floats  # loss, less that at the centre
    virial: Floats  # (w - w*) . grad U, with U = n beta L + gamma / 2 |w - w*|^2


def langevin(gradient: Gradient, centre: Tensor, noise: Noise, settings: Langevin) -> Walk:
    """Walk around a centre w* by stochastic gradient Langevin dynamics.

    The chains start at w* and follow w <- w - epsilon / 2 grad U(w) + sqrt(epsilon) xi, which for
    small epsilon draws from exp(-U) (Welling and Teh 2011; Lau et al. 2023, algorithm 1). The mean
    of the virial under exp(-U) is P, whatever the loss (integration by parts); it is less before
    equilibrium and more where the step is too large: 1 / (1 - epsilon k / 4) for each direction of
    curvature k of U. A chain that diverges goes on with numbers that are not finite.

    Args:
        gradient: the loss; it may be estimated from a new minibatch at every call.
        centre: w*, [C, P]; chains do not influence each other.
        noise: standard normal numbers [C, P], new ones at every call.
        settings: of the walk.
    """
    position, kept = centre, []
    for step in range(settings.burn_in + settings.steps):
        excess, slope = gradient(position)
        offset = position - centre
        pull = settings.inverse_temperature * slope + settings.localisation * offset
        if step >= settings.burn_in:
            kept.append(torch.stack([excess, (pull * offset).sum(dim=1)]))
        position = position - settings.step_size / 2 * pull + settings.step_size**0.5 * noise()
    excess, virial = torch.stack(kept, dim=2).double().cpu().numpy()
    return Walk(excess, virial)

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


def langevin(gradient: Gradient, centre: Tensor, noise: Noise, settings: Langevin) -> Floats:
    """Losses, less those at the centre, that chains meet on their way: [C, steps] float64.

    The chains start at the centre w* and follow stochastic gradient Langevin dynamics,
    w <- w - epsilon / 2 (n beta grad L(w) + gamma (w - w*)) + sqrt(epsilon) xi, which for small
    epsilon draws from exp(-n beta L(w) - gamma / 2 |w - w*|^2) (Welling and Teh 2011; Lau et al.
    2023, algorithm 1). A chain that diverges goes on with numbers that are not finite.

    Args:
        gradient: the loss; it may be estimated from a new minibatch at every call.
        centre: w*, [C, P]; chains do not influence each other.
        noise: standard normal numbers [C, P], new ones at every call.
        settings: of the walk.
    """
    position = centre.clone()
    kept = []
    for step in range(settings.burn_in + settings.steps):
        excess, slope = gradient(position)
        if step >= settings.burn_in:
            kept.append(excess.double().cpu())
        pull = settings.inverse_temperature * slope + settings.localisation * (position - centre)
        position = position - settings.step_size / 2 * pull + settings.step_size**0.5 * noise()
    return torch.stack(kept, dim=1).numpy()

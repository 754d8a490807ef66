"""How noisy the gradient of a minibatch is, from the gradients of single samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.func import grad, vmap

from phasezoo.landscape.estimate import Estimate
from phasezoo.landscape.network import Network
from phasezoo.models.flat import Weights

Floats = NDArray[np.float64]
NUMBERS = 2**24  # gradients of single samples held at once; bounds memory, changes nothing else
SAMPLES = 512  # the same for their activations


@dataclass(frozen=True, slots=True)
class NoiseScale:
    """B = tr(Sigma) / |G|^2 in samples, and its two parts, in squared loss per squared weight.

    Converged when |G|^2 lies more than two standard errors above 0; otherwise the ratio is at best
    a lower bound on B, and it is not a number where the estimate of |G|^2 is not positive.
    """

    scale: Estimate
    squared_gradient: Estimate  # |G|^2
    gradient_variance: Estimate  # tr(Sigma)
    converged: bool


NOT_A_NUMBER = Estimate(np.nan, np.nan)
NO_SCALE = NoiseScale(NOT_A_NUMBER, NOT_A_NUMBER, NOT_A_NUMBER, converged=False)


def noise_scale(
    network: Network,
    models: Sequence[Weights],
    inputs: Tensor,
    labels: Tensor,
    population: int | None = None,
) -> list[NoiseScale]:
    """The simple noise scale of several models (McCandlish et al. 2018, eq. 2.9).

    G is the gradient of the mean loss over a population, Sigma the covariance of the
    gradients of its samples; normalisation layers are in evaluation mode. See `noise_of`.

    Args:
        network: the architecture.
        models: the weights; one with a number that is not finite gives NaN.
        inputs: a random sample of the population, [n, ...], at least 3.
        labels: [n].
        population: how many samples the population has. With the size of the training set, G is
            the gradient that training follows, and the whole set has no standard error. None: the
            samples are draws from an unbounded distribution, as in the paper.

    Raises:
        ValueError: n < 3 or more than the population.
    """
    if len(labels) < 3 or (population is not None and len(labels) > population):
        allowed = f"from 3 to the population of {population or 'any number'}"
        raise ValueError(f"samples: got {len(labels)}, allowed are {allowed}")
    found = []
    for model in models:
        squares, along = gradient_products(network, model, inputs, labels)
        finite = np.isfinite(squares).all() and np.isfinite(along).all()
        found.append(noise_of(squares, along, population) if finite else NO_SCALE)
    return found


def gradient_products(
    network: Network, model: Weights, inputs: Tensor, labels: Tensor
) -> tuple[Floats, Floats]:
    """|g_i|^2 and g_i . mean g of the gradient g_i of every sample, each [n].

    Gradients are held in chunks, so that memory does not grow with n.
    """
    theta, buffers = model.parameters.to(network.device), model.buffers.to(network.device)

    def loss(parameters: Tensor, some: Tensor, classes: Tensor) -> Tensor:
        outputs = network.apply(parameters, buffers, some)
        return network.objective.losses(outputs, classes).sum()

    def of_one(parameters: Tensor, one: Tensor, label: Tensor) -> Tensor:
        return loss(parameters, one[None], label[None])

    size = max(1, min(SAMPLES, NUMBERS // max(1, theta.numel())))
    chunks = list(zip(inputs.split(size), labels.split(size), strict=True))
    total = torch.zeros_like(theta, dtype=torch.float64)
    for chunk in chunks:  # summed as they come: as many as samples would not fit
        total += grad(loss)(theta, *chunk)
    mean = (total / len(labels)).to(theta)
    squares, along = [], []
    for chunk in chunks:
        gradients = vmap(grad(of_one), in_dims=(None, 0, 0))(theta, *chunk)  # [chunk, P]
        squares.append(gradients.square().sum(dim=1))
        along.append(gradients @ mean)
    return torch.cat(squares).double().cpu().numpy(), torch.cat(along).double().cpu().numpy()


def noise_of(squares: Floats, along: Floats, population: int | None = None) -> NoiseScale:
    """The noise scale from |g_i|^2 and g_i . mean g, with jackknife standard errors.

    tr(Sigma) = sum_i |g_i - mean g|^2 / (n - 1) and |G|^2 = |mean g|^2 - (1 - n / N) tr(Sigma) / n
    are unbiased for n of N samples drawn without replacement, and for N without bound those of
    McCandlish et al. 2018, appendix A.1, with batches of 1 and n. Their ratio is not unbiased. The
    standard errors are those over samples, se^2 = (1 - n / N) (n - 1) / n sum_i (f_i - mean f)^2,
    f_i being the value without sample i (Efron and Stein 1981).

    Args:
        squares: |g_i|^2, [n], at least 3.
        along: g_i . mean g, [n].
        population: N; None for one without bound.
    """
    n = len(squares)
    whole = _parts(n, squares.sum(), along.mean(), population)
    mean_left = (n**2 * along.mean() - 2 * n * along + squares) / (n - 1) ** 2  # |mean without i|^2
    left = _parts(n - 1, squares.sum() - squares, mean_left, population)
    unseen = 1 - n / population if population else 1.0

    def estimate(value: Floats, values: Floats) -> Estimate:
        spread = np.square(values - values.mean()).sum()
        return Estimate(float(value), float(np.sqrt(unseen * (n - 1) / n * spread)))

    gradient, variance = estimate(whole[0], left[0]), estimate(whole[1], left[1])
    scale = NOT_A_NUMBER
    if gradient.value > 0:
        scale = estimate(whole[1] / whole[0], left[1] / left[0])
    return NoiseScale(scale, gradient, variance, gradient.value > 2 * gradient.standard_error)


def _parts(
    n: int, square_sum: Floats, squared_mean: Floats, population: int | None
) -> tuple[Floats, Floats]:
    """Unbiased |G|^2 and tr(Sigma) from sum |g_i|^2 and |mean g|^2 of n samples."""
    variance = (square_sum - n * squared_mean) / (n - 1)
    unseen = 1 - n / population if population else 1.0
    return squared_mean - unseen * variance / n, variance

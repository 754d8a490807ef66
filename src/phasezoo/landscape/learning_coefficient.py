"""How fast the loss rises around a model: its local learning coefficient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
import torch
from torch import Tensor

from phasezoo.landscape.chains import chain_mean
from phasezoo.landscape.estimate import Estimate
from phasezoo.landscape.langevin import Langevin, Walk, langevin
from phasezoo.landscape.network import Network
from phasezoo.landscape.stacked import gradients_of, sample_losses
from phasezoo.models.flat import Weights
from phasezoo.spec.numbers import LocalLearning

EQUIPARTITION = 0.02  # deviation from 1 up to which chains count as at equilibrium
R_HAT = 1.1  # chains agree up to here (Gelman et al. 2013, section 11.4)
STACK = 2**22  # numbers of the models that walk together; bounds memory, changes nothing else


@dataclass(frozen=True, slots=True)
class LearningCoefficient:
    """lambda-hat, dimensionless, with its Monte Carlo error and what the chains say of themselves.

    Converged when R-hat is at most 1.1, and, give or take two standard errors, equipartition is
    within 2 % of 1 and lambda-hat not below 0: there the chains found lower losses than the
    model's, which is no minimum then.
    """

    estimate: Estimate
    r_hat: float
    equipartition: Estimate  # mean virial over P: 1 at equilibrium, for a small step
    effective_samples: float
    converged: bool


NOT_A_NUMBER = Estimate(np.nan, np.nan)
NO_COEFFICIENT = LearningCoefficient(NOT_A_NUMBER, np.nan, NOT_A_NUMBER, np.nan, converged=False)


def learning_coefficient(
    network: Network,
    models: Sequence[Weights],
    inputs: Tensor,
    labels: Tensor,
    options: LocalLearning,
    generators: Sequence[torch.Generator],
) -> list[LearningCoefficient]:
    """The local learning coefficient of several models (Lau et al. 2023, arXiv 2308.12108).

    lambda-hat = n beta (E[L_n(w)] - L_n(w*)), with L_n the mean loss of a sample of n,
    beta = 1 / log n, and w from exp(-n beta L_n(w) - gamma / 2 |w - w*|^2) by minibatch Langevin
    chains (`langevin`). Both losses are taken on the same minibatch, drawn with replacement, or
    on the whole sample where `batch_size` is n; normalisation layers are in evaluation mode. The
    error is that of the chains; step size, localisation and minibatches shift the value itself.

    Args:
        network: the architecture.
        models: the weights w*; one with a number that is not finite gives NaN.
        inputs: the sample, [n, ...]; all of it is used.
        labels: [n].
        options: of the chains.
        generators: one per model, its only source of chance.

    Raises:
        ValueError: the sample is smaller than a minibatch, or `generators` are not one per model.
    """
    if len(labels) < max(2, options.batch_size):
        allowed = f"at least batch_size = {options.batch_size}, and 2"
        raise ValueError(f"samples: got {len(labels)}, allowed are {allowed}")
    if len(generators) != len(models):
        raise ValueError(f"generators: got {len(generators)}, allowed are {len(models)}")
    found = [NO_COEFFICIENT] * len(models)
    alive = [i for i, model in enumerate(models) if model.finite]
    inputs_each, numbers_each = (
        options.chains * size for size in (options.batch_size, network.parameters.size)
    )
    together = max(1, min(network.objective.chunk // inputs_each, STACK // max(1, numbers_each)))
    for first in range(0, len(alive), together):
        some = alive[first : first + together]
        chosen = [models[i] for i in some], [generators[i] for i in some]
        walk = _walk(network, inputs, labels, options, *chosen)
        for place, i in enumerate(some):
            own = slice(place * options.chains, (place + 1) * options.chains)
            part = Walk(walk.excess[own], walk.virial[own])
            found[i] = coefficient_of(part, inverse_temperature(labels), network.parameters.size)
    return found


def inverse_temperature(labels: Tensor) -> float:
    """The inverse temperature n beta = n / log n of a sample of n (Watanabe 2013)."""
    return len(labels) / log(len(labels))


def coefficient_of(walk: Walk, inverse_temperature: float, size: int) -> LearningCoefficient:
    """lambda-hat = n beta times the mean excess loss of the chains of one model.

    Args:
        walk: of its chains.
        inverse_temperature: n beta.
        size: number of parameters.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # of chains that run away
        found = chain_mean(inverse_temperature * walk.excess)
        balance = chain_mean(walk.virial / size).mean
    converged = (
        found.r_hat <= R_HAT
        and abs(balance.value - 1) <= EQUIPARTITION + 2 * balance.standard_error
        and found.mean.value >= -2 * found.mean.standard_error
    )
    return LearningCoefficient(found.mean, found.r_hat, balance, found.effective_samples, converged)


def _walk(
    network: Network,
    inputs: Tensor,
    labels: Tensor,
    options: LocalLearning,
    models: list[Weights],
    generators: list[torch.Generator],
) -> Walk:
    """The walk of the chains of some models, model after model."""
    size, chains, device = len(labels), options.chains, network.device
    parameters = torch.stack([model.parameters for model in models]).to(device)
    buffers = torch.stack([model.buffers for model in models]).to(device)
    start = sample_losses(network, parameters, buffers, inputs, labels)  # [M, n]
    centre, buffers, start = (
        stack.repeat_interleave(chains, dim=0) for stack in (parameters, buffers, start)
    )
    gradients = gradients_of(network, options.batch_size)
    whole = torch.arange(size).expand(chains, size)

    def drawn(generator: torch.Generator) -> Tensor:
        if options.batch_size == size:
            return whole
        return torch.randint(size, (chains, options.batch_size), generator=generator)

    def gradient(position: Tensor) -> tuple[Tensor, Tensor]:
        batch = torch.cat([drawn(g) for g in generators]).to(device)  # [C, batch_size]
        slopes, losses = gradients(position, buffers, inputs[batch], labels[batch])
        return losses - start.gather(1, batch).mean(dim=1), slopes

    def noise() -> Tensor:
        shape = (chains, centre.shape[1])
        return torch.cat([torch.randn(shape, generator=g) for g in generators]).to(centre)

    settings = Langevin(
        inverse_temperature=inverse_temperature(labels),
        localisation=options.localisation,
        step_size=options.step_size,
        burn_in=options.burn_in,
        steps=options.steps,
    )
    return langevin(gradient, centre, noise, settings)

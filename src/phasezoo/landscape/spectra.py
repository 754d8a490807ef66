"""Norms and singular values of the weights of many models at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phasezoo.landscape.estimate import Estimate
from phasezoo.landscape.network import Network
from phasezoo.landscape.power_law import NO_TAIL, PowerLawTail, power_law_tail
from phasezoo.models.flat import Slot, Weights

Floats = NDArray[np.float64]
NUMBERS = 2**25  # parameters held at once; bounds memory, changes nothing else


@dataclass(frozen=True)
class Spectra:
    """Norms of one model's weights and the spectra of its matrices, in the order of `matrices`.

    The tails are those of the eigenvalues of W^T W. A mean over matrices leaves out those without
    a tail, and is not a number where none has one.
    """

    frobenius_norm: Floats  # [matrices]
    spectral_norm: Floats
    stable_rank: Floats  # ||W||_F^2 / ||W||_2^2, from 1 to the rank
    tails: tuple[PowerLawTail, ...]
    weight_norm: float  # of all parameters
    distance_from_start: float  # not a number where the initial weights are not known
    mean_tail_exponent: Estimate
    weighted_tail_exponent: Estimate  # mean of alpha log10(largest eigenvalue)


def matrices(network: Network) -> tuple[Slot, ...]:
    """The parameters of at least two dims, each a matrix [outputs, inputs * kernel]."""
    return tuple(slot for slot in network.parameters.slots if len(slot.shape) >= 2)


def spectra(
    network: Network, models: Sequence[Weights], initial: Sequence[Weights] | None = None
) -> list[Spectra]:
    """Norms and heavy tails of the weights of several models, in float64.

    Stable rank: ||W||_F^2 / ||W||_2^2 (Rudelson and Vershynin 2007). Tail exponent: power law in
    the eigenvalues of W^T W (Martin and Mahoney 2021, JMLR 22; `power_law_tail`), unnormalised, a
    convolution being one matrix. Weighted exponent: mean of alpha log10(largest eigenvalue), their
    alpha-hat (Martin, Peng and Mahoney 2021, Nature Communications 12). Units: weights; their
    squares for eigenvalues.

    Args:
        network: the architecture.
        models: the weights; a model with a number that is not finite gives NaN throughout.
        initial: the weights that each model started from; without them the distance is NaN.

    Raises:
        ValueError: `initial` has another length than `models`.
    """
    starts = [None] * len(models) if initial is None else initial
    if len(starts) != len(models):
        raise ValueError(f"initial: got {len(starts)} models, allowed are {len(models)}")
    together = max(1, NUMBERS // max(1, network.parameters.size))
    found = []
    for first in range(0, len(models), together):
        some = slice(first, first + together)
        found += _of_share(network, models[some], starts[some])
    return found


def _of_share(
    network: Network, models: Sequence[Weights], starts: Sequence[Weights | None]
) -> list[Spectra]:
    """The same for models that are held in memory together."""
    unknown = torch.full((network.parameters.size,), torch.nan)
    parameters = _stacked(network, [model.parameters for model in models])  # [M, P]
    start = _stacked(network, [unknown if s is None else s.parameters for s in starts])
    finite = parameters.isfinite().all(dim=1).tolist()
    norms = torch.linalg.vector_norm(parameters, dim=1).tolist()
    distances = torch.linalg.vector_norm(parameters - start, dim=1).tolist()
    values = [_singular_values(parameters, slot).cpu().numpy() for slot in matrices(network)]
    shapes = [_sides(slot) for slot in matrices(network)]
    missing = _missing(len(values))
    return [
        _of_model([v[i] for v in values], shapes, norms[i], distances[i]) if finite[i] else missing
        for i in range(len(models))
    ]


def _sides(slot: Slot) -> tuple[int, int]:
    """Outputs, and inputs times kernel."""
    return slot.shape[0], slot.size // slot.shape[0]


def _stacked(network: Network, rows: Sequence[Tensor]) -> Tensor:
    """Vectors [M, P] float64 on the network's device."""
    return torch.stack(list(rows)).to(network.device).double()


def _singular_values(parameters: Tensor, slot: Slot) -> Tensor:
    """Singular values [M, min(outputs, inputs * kernel)] of one matrix; 0 where not finite."""
    part = parameters[:, slot.offset : slot.offset + slot.size]
    part = torch.where(part.isfinite(), part, 0)
    values: Tensor = torch.linalg.svdvals(part.reshape(len(part), *_sides(slot)))
    return values


def _of_model(
    values: list[Floats], shapes: list[tuple[int, int]], norm: float, distance: float
) -> Spectra:
    frobenius = np.array([np.sqrt(np.square(v).sum()) for v in values])
    spectral = np.array([v[0] for v in values])
    with np.errstate(invalid="ignore"):  # 0 / 0 for a matrix of zeros, which has no stable rank
        rank = np.square(frobenius / spectral)
    tails = tuple(_tail(v, shape) for v, shape in zip(values, shapes, strict=True))
    exponents = [tail.exponent for tail in tails]
    scales = 2 * np.log10(spectral, where=spectral > 0, out=np.full(len(values), np.nan))
    return Spectra(
        frobenius_norm=frobenius,
        spectral_norm=spectral,
        stable_rank=rank,
        tails=tails,
        weight_norm=norm,
        distance_from_start=distance,
        mean_tail_exponent=_mean(exponents, np.ones(len(values))),
        weighted_tail_exponent=_mean(exponents, scales),
    )


def _tail(values: Floats, shape: tuple[int, int]) -> PowerLawTail:
    """The tail of the eigenvalues above the rounding of the float32 weights."""
    floor = values[0] * max(shape) * np.finfo(np.float32).eps  # as in numpy's matrix_rank
    return power_law_tail(np.square(values[values > floor]))


def _mean(exponents: list[Estimate], factors: Floats) -> Estimate:
    """Mean of factor times exponent over those that are there; their errors are independent."""
    there = [(e, f) for e, f in zip(exponents, factors, strict=True) if np.isfinite(e.value)]
    if not there:
        return Estimate(np.nan, np.nan)
    error = np.sqrt(sum((f * e.standard_error) ** 2 for e, f in there)) / len(there)
    return Estimate(float(np.mean([f * e.value for e, f in there])), float(error))


def _missing(size: int) -> Spectra:
    nothing = np.full(size, np.nan)
    none = NO_TAIL.exponent
    return Spectra(nothing, nothing, nothing, (NO_TAIL,) * size, np.nan, np.nan, none, none)

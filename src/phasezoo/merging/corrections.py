"""Means of models, and what is put right in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import assert_never

from torch import Tensor

from phasezoo.landscape.network import Network
from phasezoo.merging.repair import repair, sum_of, unit_moments
from phasezoo.models.flat import Weights
from phasezoo.spec.merging import Correction


def merged(
    network: Network,
    models: Sequence[Weights],
    shares: Sequence[float],
    correction: Correction,
    inputs: Tensor,
) -> Weights:
    """The weighted mean of models.

    ``kept``: normalisation statistics are averaged as the parameters are. ``reset``: they are
    re-estimated on `inputs`. ``repair``: so are the statistics of all layers that have an affine
    map of their own (`repair`).

    Args:
        network: the architecture.
        models: aligned or not.
        shares: of the models, 1 in sum.
        correction: what is put right.
        inputs: of the training set.
    """
    return merger(network, models, correction, inputs)(shares)


def merger(
    network: Network, models: Sequence[Weights], correction: Correction, inputs: Tensor
) -> Callable[[Sequence[float]], Weights]:
    """`merged` as a function of the shares; what does not depend on them is computed once."""
    match correction:
        case "kept":
            return partial(_kept, models)
        case "reset":
            return partial(_reset, network, models, inputs)
        case "repair":
            each = unit_moments(network, models, inputs)
            return lambda shares: repair(network, models, shares, inputs, each)
        case _:
            assert_never(correction)


def _kept(models: Sequence[Weights], shares: Sequence[float]) -> Weights:
    parameters, buffers = (
        sum_of([getattr(model, part) for model in models], shares)
        for part in ("parameters", "buffers")
    )
    return Weights(parameters, buffers)


def _reset(
    network: Network, models: Sequence[Weights], inputs: Tensor, shares: Sequence[float]
) -> Weights:
    return network.with_statistics(_kept(models, shares).parameters, inputs)

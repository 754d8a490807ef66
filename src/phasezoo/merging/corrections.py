"""Means of models, and what is put right in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from torch import Tensor

from phasezoo.landscape.network import Network
from phasezoo.merging.repair import repair, sum_of
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
    parameters = sum_of([model.parameters for model in models], shares)
    match correction:
        case "kept":
            return Weights(parameters, sum_of([model.buffers for model in models], shares))
        case "reset":
            return network.with_statistics(parameters, inputs)
        case "repair":
            return repair(network, models, shares, inputs)
        case _:
            assert_never(correction)

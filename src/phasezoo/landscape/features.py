"""What the layers of a model answer to some inputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from phasezoo.landscape.network import Network
from phasezoo.models.flat import Weights


def layers_of(network: Network) -> list[str]:
    """Names of all modules within a network."""
    return [name for name, _ in network.module.named_modules() if name]


def features_of(
    network: Network, weights: Weights, inputs: Tensor, layers: Sequence[str]
) -> tuple[Tensor, dict[str, Tensor]]:
    """Outputs [S, K] and, by name, the outputs of layers [S, F], by samples.

    What a sample is, an input or a position of one, is the objective's to say.

    Raises:
        ValueError: no such layer, or one that the network does not call.
    """
    parts: dict[str, list[Tensor]] = {name: [] for name in layers}
    with _watched(network, parts):
        features = network.features(weights, inputs)
    for name, found in parts.items():
        if not found:
            raise ValueError(f"layers: got {name!r}, which puts nothing out")
    return features, {name: torch.cat(found) for name, found in parts.items()}


@contextmanager
def _watched(network: Network, parts: dict[str, list[Tensor]]) -> Iterator[None]:
    """Append what the named layers put out to their lists."""
    modules = dict(network.module.named_modules())
    for name in parts:
        if name not in modules or not name:
            allowed = ", ".join(layers_of(network))
            raise ValueError(f"layers: got {name!r}, allowed are {allowed}")

    def keep(found: list[Tensor]) -> object:
        def hook(module: nn.Module, given: object, output: Tensor) -> None:
            found.append(network.objective.features(output))

        return hook

    handles = [modules[name].register_forward_hook(keep(found)) for name, found in parts.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def condensed(features: Tensor) -> Tensor:
    """Features [N, min(F, N)] in float64 with the same products of samples as [N, F].

    Linear CKA depends on X X^T only. A wide layer is turned into the triangular factor of X^T, at
    a cost of N^2 F once instead of N F^2 for every pair. What is not finite stays so.
    """
    wide = features.double()
    if wide.shape[1] <= wide.shape[0]:
        return wide
    if not wide.isfinite().all():
        return wide[:, : len(wide)]
    upper: Tensor = torch.linalg.qr(wide.T, mode="r").R
    return upper.T

"""What the units of a network do on data, at the places where a permutation orders them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from phasezoo.landscape.network import Network
from phasezoo.merging.permutation import AlignmentError, Axis, PermutationSpec
from phasezoo.models.flat import Weights

CHUNK = 128  # inputs per pass at the most: the activations of all layers are there at once
Activations = dict[str, Tensor]  # site -> [samples, features]
_LAYERS = nn.Linear | nn.Conv2d


@dataclass(frozen=True)
class Sites:
    """Where activations are taken: what layers take in or put out, and what permutes its features.

    Attributes:
        axes: ``layer.in`` or ``layer.out`` -> the axis of its features.
        within: as that of the spec.
    """

    axes: Mapping[str, Axis]
    within: Mapping[str, tuple[str, ...]]

    @property
    def spec(self) -> PermutationSpec:
        """Of activations [samples, features] as if they were tensors."""
        return PermutationSpec(
            {site: (None, axis) for site, axis in self.axes.items()}, self.within
        )


def sites_of(network: Network, spec: PermutationSpec) -> Sites:
    """The inputs of linear layers and convolutions: what comes out of nonlinearities.

    Units that no such layer takes in, as queries and keys, are seen where a layer puts them out.

    Raises:
        AlignmentError: a permutation has no such place.
    """
    layers = {  # a layer that shares its weight with another is known by that one
        name: module
        for name, module in network.module.named_modules()
        if isinstance(module, _LAYERS) and f"{name}.weight" in spec.axes
    }
    axes: dict[str, Axis] = {}
    for end, axis in (("in", 1), ("out", 0)):
        seen = {name for at in axes.values() for name in _names(at)}
        for layer, module in layers.items():
            at = spec.axes[f"{layer}.weight"][axis]
            plain = getattr(module, "groups", 1) == 1
            if plain and set(_names(at)) - (seen if end == "out" else set()):
                axes[f"{layer}.{end}"] = at
    seen = {name for at in axes.values() for name in _names(at)}
    if missing := [name for name in spec.names if name not in seen]:
        raise AlignmentError(f"{', '.join(missing)}: no linear layer or convolution has its units")
    return Sites(axes, spec.within)


def chunks_of(network: Network, inputs: Tensor) -> tuple[Tensor, ...]:
    """Inputs as they are put through a network at a time."""
    chunks: tuple[Tensor, ...] = inputs.split(min(CHUNK, network.objective.chunk))
    return chunks


def _names(axis: Axis) -> list[str]:
    return PermutationSpec({"": (axis,)}).names


def activations(
    network: Network, weights: Weights, inputs: Tensor, sites: Sites
) -> Iterator[Activations]:
    """Activations of all sites, chunk of inputs by chunk; of images every pixel is a sample."""
    for chunk in chunks_of(network, inputs):
        with _watched(network.module, sites) as found:
            network.features(weights, chunk)
        yield {site: torch.cat(parts) for site, parts in found.items()}


@contextmanager
def _watched(module: nn.Module, sites: Sites) -> Iterator[dict[str, list[Tensor]]]:
    found: dict[str, list[Tensor]] = {site: [] for site in sites.axes}
    layers = dict(module.named_modules())

    def keep(site: str, layer: nn.Module, end: str) -> RemovableHandle:
        def taken(_: nn.Module, given: tuple[Tensor, ...]) -> None:
            found[site].append(samples_of(given[0]))

        def put(_: nn.Module, given: object, output: Tensor) -> None:
            found[site].append(samples_of(output))

        if end == "in":
            return layer.register_forward_pre_hook(taken)
        return layer.register_forward_hook(put)

    with ExitStack() as hooks:
        for site in sites.axes:
            name, end = site.rsplit(".", 1)
            hooks.enter_context(keep(site, layers[name], end))
        yield found


def samples_of(values: Tensor) -> Tensor:
    """[samples, features] of what goes into a layer or comes out of it; images are [N, C, H, W]."""
    return (values.movedim(1, -1) if values.dim() == 4 else values).flatten(0, -2)


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation [features] of every site, over samples, in float64."""

    NAMES: ClassVar = ("mean", "deviation")
    mean: Activations
    deviation: Activations


def moments(network: Network, weights: Weights, inputs: Tensor, sites: Sites) -> Moments:
    """Moments over a whole set, chunk by chunk (Chan, Golub and LeVeque 1983)."""
    count: dict[str, int] = {}
    mean: Activations = {}
    squares: Activations = {}
    for chunk in activations(network, weights, inputs, sites):
        for site, values in chunk.items():
            wide, n, before = values.double(), len(values), count.get(site, 0)
            own = wide.mean(dim=0)
            apart = own - mean.get(site, torch.zeros_like(own))
            spread = (wide - own).square().sum(dim=0)
            count[site] = before + n
            mean[site] = mean.get(site, 0) + apart * (n / count[site])
            squares[site] = squares.get(site, 0) + spread
            squares[site] = squares[site] + apart.square() * (before * n / count[site])
    return Moments(mean, {site: (of / count[site]).sqrt() for site, of in squares.items()})

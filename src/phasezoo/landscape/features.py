"""What the layers of a model answer to some inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from phasezoo.landscape.condensed import Condensed
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


def condensed_features(
    network: Network,
    weights: Weights,
    inputs: Tensor,
    layers: Sequence[str],
    told: Callable[[Tensor], Tensor],
) -> tuple[Tensor, list[Condensed]]:
    """Outputs and layers by samples, condensed while they are computed.

    At most `_NUMBERS` features are held at once, but those of one input. Where that is less than
    all, and a layer is wide, two such blocks are held, and every pair of blocks of inputs is
    computed instead of every block. The size of the blocks changes nothing but rounding.

    Args:
        network: the architecture.
        weights: of one model.
        inputs: [N, ...].
        layers: names of modules.
        told: what is wanted of outputs [S, K] beside, [S].

    Returns:
        What was told of all outputs, and what is condensed: outputs, then layer by layer.

    Raises:
        ValueError: no such layer, or one that the network does not call.
    """
    sizes = _found(network, weights, inputs[:1], layers)
    out = [Condensed(len(inputs), one) for one in sizes]
    size = max(1, _NUMBERS // sum(one.numel() for one in sizes))
    blocks = dict(zip(range(0, len(inputs), size), inputs.split(size), strict=True))

    def found(at: int) -> list[Tensor]:
        return _found(network, weights, blocks[at], layers)

    return torch.cat([told(_take(out, found, at, blocks)) for at in blocks]), out


def _take(
    out: Sequence[Condensed], found: Callable[[int], list[Tensor]], at: int, starts: Iterable[int]
) -> Tensor:
    """Add a block of inputs, and its products with those after it; its outputs."""
    held = found(at)
    for condensed, features in zip(out, held, strict=True):
        condensed.add(at, features)
    wide = [i for i, condensed in enumerate(out) if condensed.wide]
    for later in (start for start in starts if start > at and wide):
        for i, other in enumerate(found(later)):
            if out[i].wide:
                out[i].cross(at, held[i], later, other)
    return held[0]


def _found(
    network: Network, weights: Weights, inputs: Tensor, layers: Sequence[str]
) -> list[Tensor]:
    outputs, found = features_of(network, weights, inputs, layers)
    return [outputs, *(found[name] for name in layers)]


_NUMBERS = 2**27  # of float32 features: half a GiB

"""Permutation symmetries of an architecture, and permuting weights by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from phasezoo.landscape.network import Network
from phasezoo.models.flat import Layout, Weights
from phasezoo.models.mlp import MLP
from phasezoo.models.small_resnet import SmallResNet
from phasezoo.vocabulary import PhasezooError

Axes = tuple[str | None, ...]
Permutations = dict[str, Tensor]  # name -> [n] int64; unit i of the result is unit perm[i]


class AlignmentError(PhasezooError):
    """A permutation spec does not fit the network it is used on."""


@dataclass(frozen=True)
class PermutationSpec:
    """Which permutation acts on which axis of which tensor, parameters and buffers alike.

    Attributes:
        axes: tensor name -> one permutation name or None per axis.
    """

    axes: Mapping[str, Axes]

    @property
    def names(self) -> list[str]:
        """All permutations, in the order in which they first appear."""
        found = [name for axes in self.axes.values() for name in axes if name]
        return list(dict.fromkeys(found))

    def places(self, name: str) -> list[tuple[str, int]]:
        """Every (tensor, axis) that a permutation acts on."""
        return [(t, i) for t, axes in self.axes.items() for i, at in enumerate(axes) if at == name]

    def size(self, name: str, layout: Layout) -> int:
        """Number of units that a permutation acts on."""
        shapes = {slot.name: slot.shape for slot in layout.slots}
        return next(shapes[t][axis] for t, axis in self.places(name) if t in shapes)


def permutation_spec(module: nn.Module) -> PermutationSpec:
    """The written-out spec of one of the project's architectures.

    Raises:
        AlignmentError: the architecture has none.
    """
    match module:
        case MLP():
            return _mlp(len(module.hidden))
        case SmallResNet():
            return _small_resnet(module)
        case _:
            name = type(module).__name__
            raise AlignmentError(f"module: got {name}, allowed are MLP, SmallResNet")


def _mlp(hidden_layers: int) -> PermutationSpec:
    axes: dict[str, Axes] = {}
    before: str | None = None
    for layer in range(hidden_layers):
        axes[f"hidden.{layer}.weight"] = (f"hidden.{layer}", before)
        axes[f"hidden.{layer}.bias"] = (f"hidden.{layer}",)
        before = f"hidden.{layer}"
    return PermutationSpec({**axes, "head.weight": (None, before), "head.bias": (None,)})


def _small_resnet(module: SmallResNet) -> PermutationSpec:
    """All that is added along a stage shares one permutation; each block has one of its own."""
    stream = "stem"
    axes: dict[str, Axes] = {"stem.weight": (stream, None, None, None), **_norm("norm", stream)}
    for index, block in enumerate(module.blocks):
        name, inner = f"blocks.{index}", f"blocks.{index}.inner"
        out = stream if isinstance(block.shortcut, nn.Identity) else f"blocks.{index}.out"
        axes |= {f"{name}.conv1.weight": (inner, stream, None, None)}
        axes |= _norm(f"{name}.norm1", inner)
        axes |= {f"{name}.conv2.weight": (out, inner, None, None)}
        axes |= _norm(f"{name}.norm2", out)
        if out != stream:
            axes |= {f"{name}.shortcut.0.weight": (out, stream, None, None)}
            axes |= _norm(f"{name}.shortcut.1", out)
        stream = out
    return PermutationSpec({**axes, "head.weight": (None, stream), "head.bias": (None,)})


def _norm(name: str, permutation: str) -> dict[str, Axes]:
    per_channel = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{tensor}": (permutation,) for tensor in per_channel}


def permute(network: Network, spec: PermutationSpec, weights: Weights, by: Permutations) -> Weights:
    """The weights with their units reordered: axis entry i becomes entry perm[i].

    Parameters and buffers are permuted alike; the function does not change.
    """
    return Weights(
        _permuted(network.parameters, spec, weights.parameters, by),
        _permuted(network.buffers, spec, weights.buffers, by),
    )


def _permuted(layout: Layout, spec: PermutationSpec, vector: Tensor, by: Permutations) -> Tensor:
    tensors = layout.unflatten(vector)
    for tensor, axes in spec.axes.items():
        if tensor in tensors:
            for axis, name in enumerate(axes):
                if name:
                    tensors[tensor] = tensors[tensor].index_select(axis, by[name])
    return layout.flatten(tensors)


def prove(
    network: Network,
    spec: PermutationSpec,
    weights: Weights,
    inputs: Tensor,
    generator: torch.Generator,
    tolerance: float = 1e-4,
) -> None:
    """Check on `inputs` that random permutations which move every unit leave the function alone.

    A model so far out that its outputs overflow proves nothing, and is passed over.

    Raises:
        AlignmentError: a tensor is not covered by the spec, or the outputs differ by more than
            `tolerance` relative to their largest.
    """
    for slot in (*network.parameters.slots, *network.buffers.slots):
        if slot.shape and slot.name not in spec.axes:
            raise AlignmentError(f"{slot.name}: not in the permutation spec")
    by = {n: _cycle(spec.size(n, network.parameters), generator) for n in spec.names}
    before = network.function(weights)(inputs)
    if not before.isfinite().all():
        return
    after = network.function(permute(network, spec, weights, by))(inputs)
    change = ((before - after).abs().max() / before.abs().max().clamp_min(1e-12)).item()
    if not change <= tolerance:
        raise AlignmentError(
            f"permutation spec: outputs change by {change:.1e}, allowed is {tolerance:.0e}"
        )


def _cycle(size: int, generator: torch.Generator) -> Tensor:
    """A random permutation that is one cycle; few units permuted freely would often stay put."""
    order = torch.randperm(size, generator=generator)
    cycle = torch.empty_like(order)
    cycle[order] = order.roll(1)
    return cycle

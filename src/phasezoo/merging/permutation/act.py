"""Permuting weights, and the proof that the function stays."""

from __future__ import annotations

import torch
from torch import Tensor

from phasezoo.landscape.network import Network
from phasezoo.merging.permutation.spec import AlignmentError, PermutationSpec
from phasezoo.models.flat import Layout, Weights

Permutations = dict[str, Tensor]  # name -> [n] int64; unit i of the result is unit perm[i]


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

    Compared are its values, not what the objective makes of them: residuals of an equation are
    differences of large derivatives, whose rounding says nothing about the spec. A model so far out
    that its outputs overflow proves nothing, and is passed over.

    Raises:
        AlignmentError: a tensor is not covered by the spec, or the outputs differ by more than
            `tolerance` relative to their largest.
    """
    for slot in (*network.parameters.slots, *network.buffers.slots):
        if slot.shape and slot.name not in spec.axes:
            raise AlignmentError(f"{slot.name}: not in the permutation spec")
    by = {n: _cycle(spec.size(n, network.parameters), generator) for n in spec.names}
    before = network.features(weights, inputs)
    if not before.isfinite().all():
        return
    after = network.features(permute(network, spec, weights, by), inputs)
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

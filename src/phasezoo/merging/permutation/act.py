"""Permuting weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from phasezoo.landscape.network import Network
from phasezoo.merging.permutation.spec import PermutationSpec
from phasezoo.models.flat import Layout, Weights

Permutations = dict[str, Tensor]  # name -> int64, of shape spec.shape(name); see `permute`


def permute(network: Network, spec: PermutationSpec, weights: Weights, by: Permutations) -> Weights:
    """The weights with their units reordered: unit i becomes unit perm[i].

    Unit (h, i) of a permutation within another becomes unit (outer[h], perm[h, i]). Parameters
    and buffers are permuted alike; the function does not change.
    """
    return Weights(
        _permuted(network.parameters, spec, weights.parameters, by),
        _permuted(network.buffers, spec, weights.buffers, by),
    )


def _permuted(layout: Layout, spec: PermutationSpec, vector: Tensor, by: Permutations) -> Tensor:
    return layout.flatten(permuted(spec, layout.unflatten(vector), by))


def permuted(
    spec: PermutationSpec, tensors: Mapping[str, Tensor], by: Permutations
) -> dict[str, Tensor]:
    """Tensors by name with their units reordered, as `permute` does it."""
    moved = {
        name: torch.empty_like(t, memory_format=torch.contiguous_format)
        for name, t in tensors.items()
    }
    sources = spec.pieces({name: tensor.detach().contiguous() for name, tensor in tensors.items()})
    for source, target in zip(sources, spec.pieces(moved), strict=True):
        target.values.copy_(reordered(source.values, source.names, by, spec.within))
    return moved


def reordered(
    values: Tensor,
    names: Sequence[str | None],
    by: Permutations,
    within: Mapping[str, tuple[str, ...]],
) -> Tensor:
    """A piece with its units reordered; a name that is not in `by` stays as it is."""
    for dimension in sorted(range(len(names)), key=lambda d: len(within.get(names[d] or "", ()))):
        name = names[dimension]
        if name and name in by:
            outer = [_of(parent, names, dimension) for parent in within.get(name, ())]
            values = _along(values, dimension, outer, by[name])
    return values


def _of(parent: str, names: Sequence[str | None], dimension: int) -> int:
    """The dimension of the units that others are within: the nearest before, or the first."""
    before = [d for d in range(dimension) if names[d] == parent]
    return before[-1] if before else names.index(parent)


def _along(values: Tensor, dimension: int, outer: Sequence[int], indices: Tensor) -> Tensor:
    """Entries of a dimension reordered, by the same indices everywhere or by those of a unit."""
    if not outer:
        return values.index_select(dimension, indices.to(values.device))
    places = (*outer, dimension)  # of the dimensions of `indices`
    order = sorted(range(len(places)), key=places.__getitem__)
    shape = [values.shape[d] if d in places else 1 for d in range(values.dim())]
    spread = indices.to(values.device).permute(order).reshape(shape)
    return values.take_along_dim(spread, dimension)


def identity(spec: PermutationSpec, layout: Layout) -> Permutations:
    """The permutations that leave everything in its place."""
    shapes = {name: spec.shape(name, layout) for name in spec.names}
    return {name: torch.arange(shape[-1]).repeat(*shape[:-1], 1) for name, shape in shapes.items()}


def cycles(spec: PermutationSpec, layout: Layout, generator: torch.Generator) -> Permutations:
    """Random permutations that move every unit; few units permuted freely would often stay put."""
    found: Permutations = {}
    for name in spec.names:
        *outer, size = spec.shape(name, layout)
        rows = [_cycle(size, generator) for _ in range(math.prod(outer))]
        found[name] = torch.stack(rows).reshape(*outer, size)
    return found


def _cycle(size: int, generator: torch.Generator) -> Tensor:
    """A random permutation that is one cycle."""
    order = torch.randperm(size, generator=generator)
    cycle = torch.empty_like(order)
    cycle[order] = order.roll(1)
    return cycle

"""Which permutation acts on which entries of which axis of which tensor.

An axis is permuted as a whole, stays as it is, or is cut: into a `Product` of factors (heads, and
the dimensions of each), or a `Sum` of parts that follow each other (queries, keys and values in
one matrix; features that were concatenated).

Whoever searches permutations needs no more than `PermutationSpec.pieces`: it cuts tensors into
views with one dimension per factor and a name, or None, for each dimension. The inner product of
two models is the sum of those of their pieces, whatever the permutations are. Three things hold:

- A permutation `within` others depends on them: each head permutes its own dimensions. `by[name]`
  then has one row for each unit of those it is within, of shape `spec.shape(name)`; that of any
  other permutation is [n].
- Units are numbered as they stand in the result: its unit (h, i) is unit (heads[h], values[h, i])
  of the source, where `heads` is [H] and `values`, within `heads`, is [H, d]. So `values[h]`
  belongs to the head that comes to stand at h.
- A name may stand on two dimensions of one piece, as in a square matrix between the units of one
  residual stream. What such a piece adds to the objective is not linear in the permutation.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, TypeGuard

from torch import Tensor

from phasezoo.models.flat import Layout
from phasezoo.vocabulary import PhasezooError


class AlignmentError(PhasezooError):
    """A permutation spec does not fit the network it is used on."""


@dataclass(frozen=True)
class Part:
    """Entries of an axis that one permutation acts on, or none."""

    name: str | None
    size: int


@dataclass(frozen=True)
class Product:
    """Entries numbered row by row: the units of the first factor change slowest."""

    factors: tuple[Cut, ...]

    @property
    def size(self) -> int:
        """Number of entries."""
        return math.prod(factor.size for factor in self.factors)


@dataclass(frozen=True)
class Sum:
    """Parts of an axis, one after the other."""

    parts: tuple[Cut, ...]

    @property
    def size(self) -> int:
        """Number of entries."""
        return sum(part.size for part in self.parts)


Cut = Part | Product | Sum
Axis = str | None | Cut
Axes = tuple[Axis, ...]


class Piece(NamedTuple):
    """A view of entries of a tensor, [one dimension per factor], and what permutes each."""

    tensor: str
    values: Tensor
    names: tuple[str | None, ...]


@dataclass(frozen=True)
class PermutationSpec:
    """Which permutation acts on which axis of which tensor, parameters and buffers alike.

    Attributes:
        axes: tensor name -> for each axis a permutation name, None or a cut.
        within: name of a permutation -> those it depends on, outermost first; none if left out.
    """

    axes: Mapping[str, Axes]
    within: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def names(self) -> list[str]:
        """All permutations, in the order in which they first appear."""
        found = [name for axes in self.axes.values() for axis in axes for name in names_in(axis)]
        return list(dict.fromkeys(found))

    @cached_property
    def whole(self) -> Mapping[str, tuple[str | None, ...]]:
        """The axes of those tensors of which none is cut."""
        return {tensor: axes for tensor, axes in self.axes.items() if _are_whole(axes)}

    def places(self, name: str) -> list[tuple[str, int]]:
        """Every (tensor, axis) that a permutation acts on, as a whole or in part."""
        return [
            (t, i)
            for t, axes in self.axes.items()
            for i, a in enumerate(axes)
            if name in names_in(a)
        ]

    def size(self, name: str, layout: Layout) -> int:
        """Number of units that a permutation acts on."""
        shapes = {slot.name: slot.shape for slot in layout.slots}
        places = ((tensor, axis) for tensor, axis in self.places(name) if tensor in shapes)
        tensor, axis = next(places)
        return _size(self.axes[tensor][axis], name) or shapes[tensor][axis]

    def shape(self, name: str, layout: Layout) -> tuple[int, ...]:
        """Of the indices of a permutation: the units of those it is within, and its own."""
        return tuple(self.size(n, layout) for n in (*self.within.get(name, ()), name))

    def pieces(self, tensors: Mapping[str, Tensor]) -> list[Piece]:
        """Contiguous tensors, cut into views that do not overlap and leave nothing out."""
        return [
            Piece(tensor, values, names)
            for tensor, whole in tensors.items()
            for values, names in _cut(whole, 0, self.axes.get(tensor, (None,) * whole.dim()))
        ]


def names_in(axis: Axis) -> Iterator[str]:
    """Permutations that act on an axis, once for each place in it."""
    match axis:
        case str():
            yield axis
        case Part(name) if name:
            yield name
        case Product(inner) | Sum(inner):
            for one in inner:
                yield from names_in(one)


def _size(axis: Axis, name: str) -> int | None:
    """Units of a permutation that acts on parts of an axis; None where it acts on all of it."""
    match axis:
        case Part(found, size) if found == name:
            return size
        case Product(inner) | Sum(inner):
            return next((n for one in inner if (n := _size(one, name))), None)
    return None


def _are_whole(axes: Axes) -> TypeGuard[tuple[str | None, ...]]:
    return not any(isinstance(axis, Part | Product | Sum) for axis in axes)


def _cut(values: Tensor, at: int, axes: Axes) -> Iterator[tuple[Tensor, tuple[str | None, ...]]]:
    """Views of a tensor whose dimensions from `at` on are still to be cut."""
    if not axes:
        yield values, ()
        return
    first, rest = axes[0], axes[1:]
    match first:
        case Product(factors):
            yield from _cut(values.unflatten(at, [f.size for f in factors]), at, (*factors, *rest))
        case Sum(parts):
            for part, view in zip(parts, values.split([p.size for p in parts], at), strict=True):
                yield from _cut(view, at, (part, *rest))
        case _:
            name = first.name if isinstance(first, Part) else first
            for view, names in _cut(values, at + 1, rest):
                yield view, (name, *names)

"""Models cut into pieces with one axis for each permutation, ready to be searched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from phasezoo.merging.permutation import AlignmentError, Permutations, PermutationSpec
from phasezoo.merging.permutation.spec import Piece

Tensors = Mapping[str, Tensor]
Key = tuple[str, int]  # a tensor and the number of its piece
Axes = tuple[str | None, ...]
Flat = dict[str, Tensor]  # name -> [n]; for a permutation within another [outer n] of all units


class Pieces(Mapping[Key, Tensor]):
    """The pieces of a model by tensor and number; of `within` permutations outer and inner as one.

    Unit (h, i) of a permutation within another is entry h n + i of one axis, so that for a search
    every axis is permuted by plain indices (`flat`, `nested`).

    Args:
        spec: the permutations.
        tensors: of the model. Those of a plain dict are cut once; any other mapping is asked for a
            tensor whenever a piece of it is wanted, so it may read them from a store.

    Raises:
        AlignmentError: a permutation is within more than one other.
    """

    def __init__(self, spec: PermutationSpec, tensors: Tensors) -> None:
        require_one_level(spec)
        self._spec, self._tensors = spec, tensors
        self.are_kept = isinstance(tensors, dict)
        self.axes: dict[Key, Axes] = {}
        self.sizes: dict[str, int] = {}
        self._kept: dict[Key, Tensor] = {}
        for tensor in tensors:
            for number, piece in enumerate(self._cut(tensor)):
                self._enter((tensor, number), piece)
        if self.are_kept:
            self._join_vectors()

    def _enter(self, key: Key, piece: Piece) -> None:
        for name, size in zip(piece.names, piece.values.shape, strict=True):
            if name:
                self.sizes[name] = size
        values, self.axes[key] = _joined(self._spec, piece)
        if self.are_kept:
            self._kept[key] = values

    def _join_vectors(self) -> None:
        """Vectors of one permutation as the columns of one matrix: one product in place of many."""
        alike: dict[Axes, list[Key]] = {}
        for key, axes in self.axes.items():
            if len(axes) == 1 and axes[0]:
                alike.setdefault(axes, []).append(key)
        for axes, keys in alike.items():
            self._kept[keys[0]] = torch.stack([self._kept[key] for key in keys], dim=1)
            self.axes[keys[0]] = (*axes, None)
            for key in keys[1:]:
                del self._kept[key], self.axes[key]

    def __getitem__(self, key: Key) -> Tensor:
        """The values of a piece, one axis for each of its `axes`."""
        if key in self._kept:
            return self._kept[key]
        return _joined(self._spec, self._cut(key[0])[key[1]])[0]

    def __iter__(self) -> Iterator[Key]:
        return iter(self.axes)

    def __len__(self) -> int:
        return len(self.axes)

    def _cut(self, tensor: str) -> list[Piece]:
        values, whole = self._tensors[tensor].contiguous(), self._spec.whole
        if tensor in whole:
            return [Piece(tensor, values, whole[tensor])]
        return self._spec.pieces({tensor: values})

    def identity(self) -> Flat:
        """The indices that leave everything in its place."""
        return self._made(torch.arange)

    def random(self, generator: torch.Generator) -> Flat:
        """Indices drawn uniformly from those there are."""
        return self._made(lambda size: torch.randperm(size, generator=generator))

    def _made(self, order: Callable[[int], Tensor]) -> Flat:
        """From orders of so many units, those within others drawn for each of them."""
        out: Permutations = {}
        for name, size in self.sizes.items():
            outer = self._spec.within.get(name, ())
            rows = [order(size) for _ in range(self.sizes[outer[0]] if outer else 1)]
            out[name] = torch.stack(rows) if outer else rows[0]
        return flat(self._spec, out)

    def permuted(self, key: Key, by: Flat) -> Tensor:
        """The values of a piece with their units reordered; a name not in `by` stays."""
        return _reordered(self[key], self.axes[key], by, 0)

    def blocks(self, key: Key, by: Flat, rows: int) -> Iterator[Tensor]:
        """The same, so many rows of the first axis at a time."""
        values, names = self[key], self.axes[key]
        order = by[names[0]] if names[0] in by else torch.arange(len(values))
        for chosen in order.to(values.device).split(rows):
            yield _reordered(values.index_select(0, chosen), names, by, 1)


def _reordered(values: Tensor, names: Axes, by: Flat, begin: int) -> Tensor:
    """Values with the units of the axes from `begin` on reordered."""
    for axis in range(begin, len(names)):
        name = names[axis]
        if name in by:
            values = values.index_select(axis, by[name].to(values.device))
    return values


def _joined(spec: PermutationSpec, piece: Piece) -> tuple[Tensor, Axes]:
    """A piece whose dimensions within others are one axis with those."""
    values, names = piece.values, list(piece.names)
    if not spec.within:
        return values, piece.names
    is_left = [name is not None and bool(spec.within.get(name)) for name in names]
    while any(is_left):
        at = is_left.index(True)
        outer = _outer(spec, piece, names, at)
        values, at = values.movedim(outer, at - (outer < at)), at - (outer < at)
        for of in (names, is_left):
            del of[outer]
        values, is_left[at] = values.flatten(at, at + 1), False
    return values, tuple(names)


def _outer(spec: PermutationSpec, piece: Piece, names: Sequence[str | None], inner: int) -> int:
    """The dimension that another is within: the nearest before it, or the first."""
    parents = spec.within[str(names[inner])]
    before = [d for d in range(inner) if names[d] == parents[0]]
    return before[-1] if before else names.index(parents[0])


def require_one_level(spec: PermutationSpec) -> None:
    """Refuse what no search knows how to go through: heads of heads.

    Raises:
        AlignmentError: a permutation is within more than one other.
    """
    for name, outer in spec.within.items():
        if len(outer) > 1:
            raise AlignmentError(f"{name}: got within {', '.join(outer)}, allowed is one of them")


def flat(spec: PermutationSpec, by: Permutations) -> Flat:
    """Plain indices of all units: those within others counted from the first unit of all.

    Raises:
        AlignmentError: a permutation is within more than one other.
    """
    require_one_level(spec)
    out = dict(by)
    for name, values in by.items():
        for outer in spec.within.get(name, ()):
            out[name] = (by[outer][:, None] * values.shape[-1] + values).flatten()
    return out


def nested(spec: PermutationSpec, by: Flat) -> Permutations:
    """Inverse of `flat`."""
    require_one_level(spec)
    out = dict(by)
    for name, indices in by.items():
        for outer in spec.within.get(name, ()):
            rows = indices.view(len(by[outer]), -1)
            out[name] = rows - by[outer][:, None] * rows.shape[1]
    return out


def composed(spec: PermutationSpec, first: Permutations, then: Permutations) -> Permutations:
    """What permuting by `first`, and the result by `then`, comes to."""
    before, after = flat(spec, first), flat(spec, then)
    return nested(spec, {name: before[name][after[name]] for name in before})


def inverse(spec: PermutationSpec, by: Permutations) -> Permutations:
    """The permutations that take those back."""
    return nested(spec, {name: indices.argsort() for name, indices in flat(spec, by).items()})

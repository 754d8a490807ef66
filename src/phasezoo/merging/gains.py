"""What permuting the units of a layer adds to the inner product of two models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from phasezoo.merging.permutation import AlignmentError
from phasezoo.merging.pieces import Flat, Key, Pieces


@dataclass
class _Coupling:
    """A permuted axis of a piece whose other axis is permuted too, and how that was last seen."""

    key: Key
    axis: int
    other: int
    name: str  # of the permutation on the other axis
    seen: Tensor | None = None  # None: not counted yet


class Gains:
    """For every permutation the matrix [n, n] that its assignment maximises.

    Entry (i, j) is what mapping unit j of B onto unit i of A adds to <A, pi(B)>: the Gram matrix of
    A and B over all axes but the permuted one, summed over pieces. A piece with one permuted axis
    is multiplied once. One with two gives C = sum_o A[:, o] B[:, q(o)]^T, which is kept up to date:
    where some units of q moved, it changes by sum_{o moved} A[:, o] (B[:, q'(o)] - B[:, q(o)])^T,
    products of their columns alone. Of a piece with one permutation on both axes the matrix holds
    the gradient, for it is not linear in it.

    Args:
        A: the pieces that stay.
        B: those that are permuted.

    Raises:
        AlignmentError: more than two axes of a piece are permuted.
    """

    def __init__(self, A: Pieces, B: Pieces) -> None:
        self._A, self._B = A, B
        self._totals: dict[str, Tensor] = {}
        self._norms: dict[str, tuple[Tensor, Tensor]] = {}
        self._counts = {name: len(indices) for name, indices in A.identity().items()}
        self._counted, self._weights = (dict.fromkeys(A.sizes, 0) for _ in range(2))
        self._places: dict[str, list[tuple[Key, int]]] = {name: [] for name in A.sizes}
        self._couplings: dict[str, list[_Coupling]] = {name: [] for name in A.sizes}
        self._coupled: dict[str, set[str]] = {name: set() for name in A.sizes}
        for key, axes in A.axes.items():
            self._enter(key, [(axis, name) for axis, name in enumerate(axes) if name])

    def _enter(self, key: Key, permuted: list[tuple[int, str]]) -> None:
        if len(permuted) > 2:
            got = ", ".join(name for _, name in permuted)
            raise AlignmentError(f"{key[0]}: got the permutations {got}; allowed are at most two")
        weights = self._A[key]
        self._like = weights.new_empty(0)  # of the type and on the device of all
        for (axis, name), other in zip(permuted, permuted[::-1], strict=True):
            self._places[name].append((key, axis))
            self._weights[name] += weights.numel()
            if len(permuted) == 1:
                self._add(name, *(_rows(of[key], axis) for of in (self._A, self._B)))
            else:
                self._couplings[name].append(_Coupling(key, axis, *other))
                self._coupled[name].add(other[1])

    def _add(self, name: str, rows: Tensor, columns: Tensor) -> None:
        self._counted[name] += rows.numel()
        if name in self._totals:
            self._totals[name].addmm_(rows, columns.T)
        else:
            self._totals[name] = rows @ columns.T

    def update(self, by: Flat, name: str) -> bool:
        """Bring the matrix of a permutation to those others that are given; whether it changed.

        What couples to a permutation that was never given does not count yet.
        """
        changed = False
        for coupling in self._couplings[name]:
            if coupling.name in by:
                changed |= self._follow(name, coupling, by[coupling.name])
        return changed

    def _follow(self, name: str, coupling: _Coupling, now: Tensor) -> bool:
        before, coupling.seen = coupling.seen, now
        if before is now:
            return False
        moved = None if before is None else (before != now).nonzero().squeeze(1)
        if moved is not None and not len(moved):
            return False
        A, B = (of[coupling.key] for of in (self._A, self._B))
        if before is None or moved is None:
            change = _chosen(B, coupling, now)
        else:
            A = _chosen(A, coupling, moved)
            change = _chosen(B, coupling, now[moved]) - _chosen(B, coupling, before[moved])
        self._add(name, _rows(A, coupling.axis), _rows(change, coupling.axis))
        return True

    def __getitem__(self, name: str) -> Tensor:
        """The matrix [n, n] of a permutation, as it was updated last."""
        if name not in self._totals:
            n = self._counts[name]
            self._totals[name] = self._like.new_zeros(n, n)
        return self._totals[name]

    def share(self, names: Sequence[str]) -> float:
        """Share of the weights of some permutations that their matrices count so far."""
        return sum(self._counted[n] for n in names) / sum(self._weights[n] for n in names)

    def are_linear(self, names: Sequence[str]) -> bool:
        """Whether no piece has some permutations, or one of them, on two axes."""
        return not self.are_coupled(names, names)

    def are_coupled(self, names: Sequence[str], others: Sequence[str]) -> bool:
        """Whether a matrix of some permutations depends on others."""
        return any(not self._coupled[name].isdisjoint(others) for name in names)

    def change(self, name: str, before: Tensor, after: Tensor) -> tuple[float, float]:
        """What one permutation in the place of another gains, and the rounding of one product.

        The rounding is that of the type, relative to the norms of the weights of the units moved.
        Heads on which nothing stands but what is within them gain nothing by themselves.
        """
        moved = (before != after).nonzero().squeeze(1)
        if not len(moved) or not self._places[name]:
            return 0.0, 0.0
        matrix, (first, second) = self[name], self._norms_of(name)
        new, old = (matrix[moved, perm[moved]].double() for perm in (after, before))
        scale = first[moved] * (second[after[moved]] + second[before[moved]])  # [moved]
        return (new - old).sum().item(), torch.finfo(matrix.dtype).eps * scale.sum().item()

    def _norms_of(self, name: str) -> tuple[Tensor, Tensor]:
        """Norms [n] of all weights that each unit of A, and of B, takes part in."""
        if name not in self._norms:
            first, second = (
                torch.stack([_squares(of[key], axis) for key, axis in self._places[name]])
                for of in (self._A, self._B)
            )
            self._norms[name] = first.sum(dim=0).sqrt(), second.sum(dim=0).sqrt()
        return self._norms[name]


def _rows(values: Tensor, axis: int) -> Tensor:
    """[n, everything else] of an axis of n."""
    if not axis:
        return values.flatten(1) if values.dim() > 1 else values[:, None]
    return values.transpose(0, axis).flatten(1)


def _chosen(values: Tensor, coupling: _Coupling, units: Tensor) -> Tensor:
    """Values of some units of the other axis; chosen before any transposition, which is slower."""
    return values.index_select(coupling.other, units.to(values.device))


def _squares(values: Tensor, axis: int) -> Tensor:
    """Sums of squares [n] over everything else."""
    return _rows(values, axis).square().sum(dim=1)

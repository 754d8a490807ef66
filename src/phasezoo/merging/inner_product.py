"""The inner product of a model with another that is permuted."""

from __future__ import annotations

from math import fsum

import torch
from torch import Tensor

from phasezoo.merging.pieces import Flat, Key, Pieces

_AT_ONCE = 2**16  # numbers made float64 at a time, so that they stay in the cache


class InnerProduct:
    """<A, pi(B)> in float64; the products of pieces whose permutations did not change are kept."""

    def __init__(self, A: Pieces, B: Pieces) -> None:
        self._A, self._B = A, B
        self._wide: dict[Key, Tensor] = {}  # of A, where that takes little memory
        self._values: dict[Key, float] = {}
        self._seen: Flat = {}

    def __call__(self, by: Flat) -> float:
        """Of permutations as plain indices; those that are left out are the identity."""
        moved = {n for n in by.keys() | self._seen if self._seen.get(n) is not by.get(n)}
        for key, axes in self._A.axes.items():
            if key not in self._values or moved.intersection(axes):
                self._values[key] = self._of(key, by)
        self._seen = dict(by)
        return fsum(self._values.values())

    def _of(self, key: Key, by: Flat) -> float:
        """Of one piece, some rows at a time, so that what is reordered stays in the cache."""
        A = self._A[key]
        if A.numel() <= _AT_ONCE:
            B = self._B.permuted(key, by).flatten()
            return torch.dot(self._wide_piece(key, A), B.double()).item()
        rows = max(1, _AT_ONCE // A[0].numel())
        parts = zip(A.split(rows), self._B.blocks(key, by, rows), strict=True)
        return fsum(torch.dot(a.flatten().double(), b.flatten().double()).item() for a, b in parts)

    def _wide_piece(self, key: Key, A: Tensor) -> Tensor:
        """A small piece of A in float64, kept if those of A are."""
        if key in self._wide:
            return self._wide[key]
        wide = A.flatten().double()
        if self._A.are_kept:
            self._wide[key] = wide
        return wide

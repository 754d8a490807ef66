"""Features of many samples, which come in blocks of samples, in a form no larger than CKA needs."""

from __future__ import annotations

import torch
from torch import Tensor

_COLUMNS = 2**14  # features of a product that are in float64 at once


class Spread:
    """How far every feature is spread over samples that come in blocks."""

    def __init__(self) -> None:
        self._samples = 0
        self._sum = self._least = self._most = torch.empty(0)

    @classmethod
    def of(cls, features: Tensor) -> Spread:
        """That of features [N, F]."""
        found = cls()
        found.add(features)
        return found

    def add(self, block: Tensor) -> None:
        """Count features [n, F] in."""
        total, least, most = block.sum(0, dtype=torch.float64), block.amin(0), block.amax(0)
        if self._samples:
            total, least = total + self._sum, torch.minimum(least, self._least)
            most = torch.maximum(most, self._most)
        self._samples += len(block)
        self._sum, self._least, self._most = total, least, most

    @property
    def mean(self) -> Tensor:
        """Of every feature, [F] float64."""
        return self._sum / self._samples

    @property
    def finite(self) -> bool:
        """Whether all of them are."""
        return bool((self._least.isfinite() & self._most.isfinite()).all())

    def collapsed(self, rounding: float = 1e-5) -> bool:
        """Whether they are the same for every sample, up to float32 rounding."""
        least, most = self._least.double(), self._most.double()
        spread = torch.maximum(most - self.mean, self.mean - least).max()
        return bool(spread <= rounding * torch.maximum(most, -least).max())


class Condensed:
    """Features X [N, F] as [N, min(F, N)] with the same products of centred samples.

    Linear CKA depends on the products of samples only. Of a wide layer, F > N, these are summed
    up, X X^T [N, N] in float64, and X is not kept: every pair of blocks of samples is given once.
    X is taken from the mean of its first block, which CKA does not see, so that a large common
    value costs no digits. A narrow layer is kept as it is.
    """

    def __init__(self, inputs: int, one: Tensor) -> None:
        """For so many inputs, by the features [samples, F] of one of them."""
        self._each, width = one.shape
        samples = inputs * self._each
        self.wide = width > samples
        size = (samples, samples if self.wide else width)
        self._kept = torch.empty(size, dtype=torch.float64, device=one.device)
        self._spread = Spread()
        self._origin: Tensor | None = None

    @classmethod
    def of(cls, features: Tensor) -> Condensed:
        """That of features that are there as a whole."""
        found = cls(len(features), features[:1])
        found.add(0, features)
        return found

    def add(self, at: int, block: Tensor) -> None:
        """Take the features [n, F] of a block of inputs, by the position of its first one."""
        self._spread.add(block)
        rows = self._rows(at, block)
        if not self.wide:
            self._kept[rows] = block.double()
            return
        if self._origin is None:
            self._origin = self._spread.mean
        self._kept[rows, rows] = self._products(block, block, self._origin)

    def cross(self, at: int, block: Tensor, later: int, other: Tensor) -> None:
        """Take the products of two blocks of a wide layer, the first of which was added."""
        if self._origin is None:
            raise ValueError("block: got the first one, allowed is one after it")
        rows, columns = self._rows(at, block), self._rows(later, other)
        found = self._products(block, other, self._origin)
        self._kept[rows, columns], self._kept[columns, rows] = found, found.T

    @property
    def telling(self) -> bool:
        """Whether there is anything to compare: finite features that differ between samples."""
        return self._spread.finite and not self._spread.collapsed()

    def features(self) -> Tensor:
        """[N, min(F, N)] float64; not a number throughout where nothing is to be compared."""
        if not self.telling:
            return torch.full_like(self._kept, torch.nan)
        if not self.wide:
            return self._kept
        values, vectors = torch.linalg.eigh(self._kept)
        found: Tensor = vectors * values.clamp(min=0).sqrt()
        return found

    def _rows(self, at: int, block: Tensor) -> slice:
        return slice(at * self._each, at * self._each + len(block))

    def _products(self, block: Tensor, other: Tensor, origin: Tensor) -> Tensor:
        """[n, m] of features [n, F] and [m, F], taken from the origin."""
        size = (len(block), len(other))
        out = torch.zeros(size, dtype=torch.float64, device=block.device)
        cuts = (each.split(_COLUMNS, dim=-1) for each in (block, other, origin))
        for left, right, zero in zip(*cuts, strict=True):
            out.addmm_(left.double() - zero, (right.double() - zero).T)
        return out

"""Krylov bases of symmetric operators, one for each row of a stack."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal
from torch import Tensor

from phasezoo.landscape.products import Operator

Floats = NDArray[np.float64]
_BLOCK = 1 << 16  # elements that are widened to float64 at a time
_ROOM = 16  # vectors of a basis to begin with: of large models, a hundred would fit into no GPU


@dataclass
class Krylov:
    """A Q = Q T + beta q e^T for one model: T [m, m] by its diagonal and off-diagonal.

    `off` has m entries; the last, beta, is the norm of what A leaves outside of the basis.
    """

    diagonal: list[float] = field(default_factory=list)
    off: list[float] = field(default_factory=list)
    finite: bool = True

    def __len__(self) -> int:
        return len(self.diagonal)

    def add(self, alpha: float, beta: float, rounding: float) -> None:
        """Go on by a step; a beta that is rounding closes the subspace."""
        self.diagonal.append(alpha)
        self.off.append(beta)
        self.finite = bool(np.isfinite(alpha) and np.isfinite(beta))
        if self.finite and beta <= rounding * self.scale:
            self.off[-1] = 0.0

    @property
    def scale(self) -> float:
        """Largest entry of T."""
        return max(map(abs, (*self.diagonal, *self.off)))

    def eigen(self) -> tuple[Floats, Floats]:
        """Eigenvalues [m] of T, descending, and its eigenvectors [m, m] as columns."""
        values, vectors = eigh_tridiagonal(self.diagonal, self.off[:-1])
        return values[::-1], vectors[:, ::-1]


def lanczos(
    operator: Operator,
    starts: Tensor,
    steps: int,
    done: Callable[[Krylov], bool],
    generators: Sequence[torch.Generator],
) -> tuple[list[Krylov], Tensor]:
    """Lanczos with full reorthogonalisation, on all rows of a stack at a time.

    A row ends when `done` says so or is not finite; it is zero from then on, so that what comes
    out for a model does not depend on its neighbours. Where a subspace closes before (beta = 0),
    the basis goes on with a direction orthogonal to it, drawn from the row's generator: only so
    are eigenvalues found that occur several times (Parlett 1998, section 13.4).

    Args:
        operator: symmetric, on [M, P].
        starts: [M, P], not zero.
        steps: products at the most; P where P is smaller.
        done: whether the space of a row suffices.
        generators: one per row.

    Returns:
        The spaces, and their bases [M, m, P], orthonormal rows followed by zeros.
    """
    rounding = 8 * torch.finfo(starts.dtype).eps
    spaces = [Krylov() for _ in starts]
    active = [True] * len(starts)
    current = starts / norms(starts)[:, None]
    most = min(steps, starts.shape[1])
    basis = starts.new_empty((len(starts), min(_ROOM, most), starts.shape[1]))
    used = 0
    for step in range(most):
        basis = _with_room(basis, step, most)
        basis[:, step], used = current, step + 1
        image = operator(current)
        alphas = dots(image, current).tolist()
        image = outside(image, basis[:, :used])
        lengths = norms(image)
        for row, (alpha, beta) in enumerate(zip(alphas, lengths.tolist(), strict=True)):
            if active[row]:
                spaces[row].add(alpha, beta, rounding)
                active[row] = spaces[row].finite and not done(spaces[row])
        if not any(active):
            break
        current = image / lengths[:, None]
        for row, space in enumerate(spaces):
            if not active[row]:
                current[row] = 0
            elif space.off[-1] == 0:
                fresh = outside(
                    normal_like(starts[row : row + 1], generators[row]), basis[row, None, :used]
                )
                current[row] = fresh[0] / norms(fresh)
    return spaces, basis[:, :used]


def _with_room(basis: Tensor, used: int, most: int) -> Tensor:
    """The basis itself, or, where it is full, one that is half as long again."""
    if used < basis.shape[1]:
        return basis
    longer = basis.new_empty((len(basis), min(most, used + max(1, used // 2)), basis.shape[2]))
    longer[:, :used] = basis
    return longer


def outside(vectors: Tensor, basis: Tensor, passes: int = 2) -> Tensor:
    """Vectors [M, P] minus their parts along bases [M, m, P].

    One pass leaves parts of the size of rounding relative to what is taken out; a second one makes
    the rest orthogonal however small it is, which Lanczos needs.
    """
    for _ in range(passes):
        parts = torch.bmm(basis, vectors[:, :, None])  # [M, m, 1]
        vectors = vectors - torch.bmm(basis.transpose(1, 2), parts)[:, :, 0]
    return vectors


def dots(first: Tensor, second: Tensor) -> Tensor:
    """Inner products [M] of rows [M, P], summed in float64."""
    blocks = zip(first.split(_BLOCK, 1), second.split(_BLOCK, 1), strict=True)
    return torch.stack([(a.double() * b).sum(1) for a, b in blocks]).sum(0)


def norms(vectors: Tensor) -> Tensor:
    """Lengths [M] of rows [M, P], in their own type."""
    return dots(vectors, vectors).sqrt().to(vectors.dtype)


def normal_like(vectors: Tensor, generator: torch.Generator) -> Tensor:
    """Standard normal numbers, the same on every device."""
    drawn = torch.randn(vectors.shape, generator=generator)
    return drawn.to(vectors.device, vectors.dtype)

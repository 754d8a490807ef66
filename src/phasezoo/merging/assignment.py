"""The best permutation of one layer, and of heads together with what is within them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from phasezoo.merging.permutation import PermutationSpec
from phasezoo.merging.pieces import Flat


class Matrices(Protocol):
    """Gains [n, n] by the name of a permutation."""

    def __getitem__(self, name: str, /) -> Tensor:
        """Of one permutation."""


@dataclass(frozen=True)
class Group:
    """A permutation and those within it, which are solved together."""

    name: str
    inner: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return (self.name, *self.inner)


def groups_of(spec: PermutationSpec, found: Flat) -> list[Group]:
    """The groups of those permutations that were found to act on parameters."""
    outer = [name for name in spec.names if name in found and not spec.within.get(name)]
    return [
        Group(name, tuple(n for n in found if name in spec.within.get(n, ()))) for name in outer
    ]


def assignment(gains: Tensor) -> Tensor:
    """The permutation p [n] that maximises sum_i gains[i, p(i)] (linear assignment)."""
    best: Tensor = torch.from_numpy(linear_sum_assignment(gains.cpu().numpy(), maximize=True)[1])
    return best


def best_of(gains: Matrices, group: Group) -> Flat:
    """The permutations of a group that maximise its gains, all others held.

    With permutations within it, of d units in each of H heads, every head h of one model is first
    assigned to every head k of the other, the gain of which is that of the best permutation within
    the two; the assignment of the heads that is left is exact.
    """
    if not group.inner:
        return {group.name: assignment(gains[group.name])}
    score = gains[group.name].cpu().double()  # [H, H]
    heads = len(score)
    within: dict[str, Tensor] = {}
    for name in group.inner:
        blocks = _blocks(gains[name].cpu(), heads)
        found = [assignment(block) for block in blocks.flatten(0, 1)]
        within[name] = torch.stack(found).view(heads, heads, -1)  # [H, H, d]
        rows = blocks.gather(3, within[name][..., None]).squeeze(3)
        score = score + rows.sum(dim=2, dtype=torch.float64)
    best = assignment(score)
    chosen = {name: of[torch.arange(heads), best] for name, of in within.items()}
    flat = {n: (best[:, None] * of.shape[1] + of).flatten() for n, of in chosen.items()}
    return {group.name: best, **flat}


def _blocks(gains: Tensor, heads: int) -> Tensor:
    """[H, H, d, d] of [H d, H d]: the gains within each two heads."""
    blocks: Tensor = gains.unflatten(1, (heads, -1)).unflatten(0, (heads, -1)).transpose(1, 2)
    return blocks

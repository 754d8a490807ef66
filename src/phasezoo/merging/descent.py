"""Coordinate descent over the permutations between two models."""

from __future__ import annotations

from math import hypot
from typing import Literal

import torch

from phasezoo.merging.assignment import Group, best_of, groups_of
from phasezoo.merging.gains import Gains
from phasezoo.merging.inner_product import InnerProduct
from phasezoo.merging.permutation import PermutationSpec
from phasezoo.merging.pieces import Flat, Pieces

Start = Literal["anchored", "identity", "random"]
_ROUNDING = 4  # of a product, in units in the last place of the norms of its factors


class Descent:
    """Searches for the permutations that maximise <A, pi(B)>, each from its own start."""

    def __init__(self, spec: PermutationSpec, A: Pieces, B: Pieces) -> None:
        self._A, self._B = A, B
        self._identity = A.identity()
        self._groups = groups_of(spec, self._identity)
        self._inner = InnerProduct(A, B)

    def run(
        self, generator: torch.Generator, sweeps: int, start: Start
    ) -> tuple[Flat, list[float]]:
        """The permutations found, and the objective at the start and after each sweep.

        An anchored search starts from the identity, and its first sweep is of another kind. The
        last two are equal if and only if it came to rest.
        """
        sweep = _Sweep(Gains(self._A, self._B), self._groups, self._inner, generator)
        by = self._A.random(generator) if start == "random" else self._identity
        objective = [self._inner(by if start == "random" else {})]
        for number in range(sweeps):
            first = start == "anchored" and not number
            found = sweep.inwards() if first else sweep.onwards(by)
            reached = self._inner(found)
            if self._is_more(reached, objective[-1]):
                by = found
                objective.append(reached)
            elif first:
                sweep.forget()
            else:
                return by, [*objective, objective[-1]]
        return by, objective

    def _is_more(self, reached: float, before: float) -> bool:
        """Whether it is, by what float64 resolves of the products of norms."""
        if reached <= before or reached - before > 1e-9 * abs(reached):
            return reached > before
        return reached - before > 1e-14 * _norm(self._A) * _norm(self._B)


def _norm(of: Pieces) -> float:
    return hypot(*(torch.linalg.vector_norm(values).item() for values in of.values()))


class _Sweep:
    """Sweeps over all groups of permutations, with the gains that they share."""

    def __init__(
        self, gains: Gains, groups: list[Group], inner: InnerProduct, generator: torch.Generator
    ) -> None:
        self._gains, self._groups, self._inner = gains, groups, inner
        self._generator = generator
        self.forget()

    def forget(self) -> None:
        """Take no group for solved."""
        self._open = set(self._groups)

    def inwards(self) -> Flat:
        """From nothing: each time a group of which much is known, of those that know most.

        One whose share of counted weights is at least half the largest, at random.
        """
        by: Flat = {}
        left = {group: self._share(by, group) for group in self._groups}
        while left:
            shares = torch.tensor(list(left.values()))
            likely = (shares >= shares.max() / 2).double()
            group = list(left)[int(likely.multinomial(1, generator=self._generator))]
            by |= best_of(self._gains, group)
            del left[group]
            for other in left:
                if self._gains.are_coupled(other.names, group.names):
                    left[other] = self._share(by, other)
        self._open = set()
        return by

    def _share(self, by: Flat, group: Group) -> float:
        for name in group.names:
            self._gains.update(by, name)
        return self._gains.share(group.names)

    def onwards(self, by: Flat) -> Flat:
        """All groups once, in random order; those whose gains are as they were are passed over."""
        by = dict(by)
        order = torch.randperm(len(self._groups), generator=self._generator)
        for group in (self._groups[i] for i in order.tolist()):
            changed = [self._gains.update(by, name) for name in group.names]
            if any(changed) or group in self._open:
                self._open -= {group}
                best = best_of(self._gains, group)
                if self._improves(group, best, by):
                    by |= best
        return by

    def _improves(self, group: Group, best: Flat, by: Flat) -> bool:
        """Whether new permutations of a group gain more than rounding can."""
        if not self._gains.are_linear(group.names):
            now = self._inner(by)
            return self._inner(by | best) > now
        parts = [self._gains.change(name, by[name], new) for name, new in best.items()]
        gain, rounding = map(sum, zip(*parts, strict=True))
        return bool(gain > _ROUNDING * rounding)

"""Many models in one frame, layer by layer: all models of a layer are assigned together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from time import perf_counter

import torch
from torch import Tensor

from phasezoo.landscape.network import Network
from phasezoo.merging.alignment import Alignment, require_alignable
from phasezoo.merging.assignment import Group, best_of, groups_of
from phasezoo.merging.gains import Gains
from phasezoo.merging.permutation import PermutationSpec
from phasezoo.merging.pieces import Flat, Pieces, nested
from phasezoo.merging.weight_matching import parameters_by_name
from phasezoo.models.flat import Weights

_ROUNDS = 20  # over the models, of one layer
_RESOLVED = 1e-6  # of the entries of a matrix


def universe(
    network: Network,
    spec: PermutationSpec,
    models: Sequence[Weights],
    generator: torch.Generator,
    *,
    sweeps: int,
) -> Alignment:
    """Permutations of all models into a frame of none of them, consistent around every cycle.

    Maximises sum_{i<j} <pi_i(A_i), pi_j(A_j)>, as MergeMany does model by model; the permutation
    between two models goes through the frame, pi_i^-1 pi_j (the factorisation of Crisostomi et al.
    2024, which they search with Frank-Wolfe). Here one layer at a time is solved for all models,
    each in turn assigned to the sum of the others until none moves; the matrices between the
    models are multiplied once for all of them. The first sweep counts only what is known by then
    (`weight_matching.match`). Whatever lowers the objective, summed in float64, is undone.

    Args:
        network: the architecture.
        spec: its permutations.
        models: two or more; there are M (M - 1) / 2 matrices to a permutation.
        generator: draws orders.
        sweeps: over the layers, at the most.

    Raises:
        ValueError: there are fewer than two models, or one has numbers that are not finite.
        AlignmentError: the spec is of a kind that is not searched (`Gains`, `Pieces`).
    """
    require_alignable(models)
    start = perf_counter()
    frame = _Frame([Pieces(spec, of) for of in parameters_by_name(network, models)], generator)
    groups = groups_of(spec, frame.identity)
    by = [frame.identity] * len(models)
    objective = [frame.closeness(by)]
    for sweep in range(sweeps):
        found = frame.onwards(groups, by) if sweep else frame.inwards(groups)
        reached = frame.closeness(found)
        if reached > objective[-1] + 1e-12 * frame.scale:
            by = found
            objective.append(reached)
        elif sweep:
            objective.append(objective[-1])
            break
    return Alignment(
        permutations=tuple(nested(spec, own) for own in by),
        objective=tuple(objective),
        converged=len(objective) > 1 and objective[-1] <= objective[-2],
        seconds=perf_counter() - start,
    )


class _Frame:
    """Models and the matrices between each two of them."""

    def __init__(self, models: Sequence[Pieces], generator: torch.Generator) -> None:
        self._models, self._generator = models, generator
        self._pairs = list(combinations(range(len(models)), 2))
        self._gains = {(i, j): Gains(models[i], models[j]) for i, j in self._pairs}
        self.identity = models[0].identity()
        self.scale = sum(v.square().sum().item() for of in models for v in of.values())

    def closeness(self, by: Sequence[Flat]) -> float:
        """Sum over pairs of inner products, in float64."""
        total = 0.0
        for key in self._models[0]:
            moved = [of.permuted(key, own) for of, own in zip(self._models, by, strict=True)]
            values = torch.stack(moved).double()
            total += (values.sum(dim=0).square().sum() - values.square().sum()).item() / 2
        return total

    def inwards(self, groups: Sequence[Group]) -> list[Flat]:
        """From nothing: each time one of the groups of which most is known, at random."""
        by: list[Flat] = [{} for _ in self._models]
        left = list(groups)
        while left:
            shares = torch.tensor([self._share(group, by) for group in left])
            likely = (shares >= shares.max() / 2).double()
            group = left.pop(int(likely.multinomial(1, generator=self._generator)))
            by[0] |= {name: self.identity[name] for name in group.names}
            for i in range(1, len(by)):
                by[i] |= best_of(self._towards(i, range(i), group, by), group)
            self._settle(group, by)
        return by

    def onwards(self, groups: Sequence[Group], before: Sequence[Flat]) -> list[Flat]:
        """All groups once, in random order."""
        by = [dict(own) for own in before]
        for position in torch.randperm(len(groups), generator=self._generator).tolist():
            self._update(groups[position], by)
            self._settle(groups[position], by)
        return by

    def _share(self, group: Group, by: Sequence[Flat]) -> float:
        self._update(group, by)
        return self._gains[0, 1].share(group.names)

    def _update(self, group: Group, by: Sequence[Flat]) -> None:
        """Bring the matrices of a group to the permutations of the others, model j onto model i."""
        for i, j in self._pairs:
            onto = {name: by[j][name][by[i][name].argsort()] for name in by[i]}
            for name in group.names:
                self._gains[i, j].update(onto, name)

    def _settle(self, group: Group, by: list[Flat]) -> None:
        """Assign each model to the sum of all others until none moves."""
        for _ in range(_ROUNDS):
            moved = False
            for i in torch.randperm(len(by), generator=self._generator).tolist():
                others = [j for j in range(len(by)) if j != i]
                gains = self._towards(i, others, group, by)
                best = best_of(gains, group)
                if _improves(gains, best, by[i]):
                    by[i] |= best
                    moved = True
            if not moved:
                return

    def _towards(
        self, i: int, others: Sequence[int], group: Group, by: Sequence[Flat]
    ) -> dict[str, Tensor]:
        """Gains [n, n] of the units of model i at the places of the frame."""
        return {
            name: sum(
                (self._between(i, j, name).index_select(0, by[j][name]) for j in others),
                start=torch.zeros(()),
            )
            for name in group.names
        }

    def _between(self, i: int, j: int, name: str) -> Tensor:
        """[units of model j, units of model i]."""
        matrix = self._gains[min(i, j), max(i, j)][name].cpu()
        return matrix if j < i else matrix.T


def _improves(gains: dict[str, Tensor], best: Flat, now: Flat) -> bool:
    gain = size = 0.0
    for name, new in best.items():
        places = torch.arange(len(new))
        after, before = (gains[name][places, units].double() for units in (new, now[name]))
        gain += (after - before).sum().item()
        size += (after.abs() + before.abs())[new != now[name]].sum().item()
    return gain > _RESOLVED * size

"""Many models in one frame, model by model: Git Re-Basin, algorithm 3 (MergeMany)."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

import torch
from torch import Tensor

from phasezoo.landscape.network import Network
from phasezoo.merging.alignment import Alignment, require_alignable
from phasezoo.merging.permutation import Permutations, PermutationSpec, permuted
from phasezoo.merging.pieces import Pieces, composed, nested
from phasezoo.merging.weight_matching import match, parameters_by_name
from phasezoo.models.flat import Weights

Tensors = dict[str, Tensor]


def merge_many(
    network: Network,
    spec: PermutationSpec,
    models: Sequence[Weights],
    generator: torch.Generator,
    *,
    sweeps: int,
) -> Alignment:
    """Align every model to the mean of the others, in random order, until no pass gains.

    A pass never lowers sum_{i<j} <pi_i(A_i), pi_j(A_j)>, the objective, for each step maximises
    the terms of one model (Ainsworth et al. 2023, appendix A.10). All permutations are into one
    frame, so those between two models are consistent around every cycle.

    Args:
        network: the architecture.
        spec: its permutations.
        models: two or more.
        generator: draws orders.
        sweeps: passes over the models at the most, and sweeps of each matching.

    Raises:
        ValueError: there are fewer than two models, or one has numbers that are not finite.
        AlignmentError: the spec is of a kind that is not searched (`Gains`, `Pieces`).
    """
    require_alignable(models)
    start = perf_counter()
    moved = parameters_by_name(network, models)
    by: list[Permutations] = [nested(spec, Pieces(spec, moved[0]).identity()) for _ in models]
    objective = [closeness(moved)]
    while len(objective) <= sweeps and (len(objective) < 2 or objective[-1] > objective[-2]):
        for i in torch.randperm(len(models), generator=generator).tolist():
            others = _mean([of for j, of in enumerate(moved) if j != i])
            step = match(spec, others, moved[i], generator, sweeps).permutations
            moved[i], by[i] = permuted(spec, moved[i], step), composed(spec, by[i], step)
        reached = closeness(moved)
        gained = reached - objective[-1] > 1e-9 * abs(reached)  # else it is the rounding of float32
        objective.append(reached if gained else objective[-1])
    return Alignment(
        permutations=tuple({name: indices.cpu() for name, indices in own.items()} for own in by),
        objective=tuple(objective),
        converged=len(objective) > 1 and objective[-1] <= objective[-2],
        seconds=perf_counter() - start,
    )


def closeness(models: Sequence[Tensors]) -> float:
    """Sum over pairs of models of their inner products, (|sum A_i|^2 - sum |A_i|^2) / 2."""
    total = 0.0
    for name in models[0]:
        values = torch.stack([model[name].flatten() for model in models]).double()
        total += (values.sum(dim=0).square().sum() - values.square().sum()).item() / 2
    return total


def _mean(models: Sequence[Tensors]) -> Tensors:
    return {name: torch.stack([of[name] for of in models]).mean(dim=0) for name in models[0]}

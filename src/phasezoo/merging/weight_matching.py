"""Weight matching: Git Re-Basin, algorithm 1."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from phasezoo.landscape.network import Network
from phasezoo.merging.permutation import Permutations, PermutationSpec
from phasezoo.models.flat import Weights

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Matching:
    """Permutations that bring one model close to another.

    `objective` holds <A, pi(B)> before the first sweep and after each; it never falls.
    """

    permutations: Permutations
    objective: tuple[float, ...]
    converged: bool

    @property
    def gain(self) -> float:
        """Increase of the inner product over the identity."""
        return self.objective[-1] - self.objective[0]


def weight_matching(
    network: Network,
    spec: PermutationSpec,
    anchor: Weights,
    moved: Weights,
    sweeps: int,
    generator: torch.Generator,
) -> Matching:
    """Maximise <A, pi(B)> over the permutations pi of a spec, by coordinate descent.

    Each step holds all permutations but one and solves the linear assignment that is left, with
    the Gram matrix of A and B over all other axes as its gains (Ainsworth et al. 2023, section
    3.2). Starts from the identity, visits permutations in random order, and ends with the first
    sweep that gains nothing. The objective is in float64, where the reference compared float32
    sums with a tolerance below their resolution. Buffers take no part.

    Args:
        network: the architecture.
        spec: its permutations.
        anchor: A, which stays.
        moved: B, which is permuted.
        sweeps: at the most.
        generator: draws the order of each sweep.

    Raises:
        ValueError: a model has numbers that are not finite.
    """
    if not (anchor.finite and moved.finite):
        raise ValueError("weights: got numbers that are not finite, allowed are finite ones")
    A = network.parameters.unflatten(anchor.parameters.double())
    B = network.parameters.unflatten(moved.parameters.double())
    by = {name: torch.arange(spec.size(name, network.parameters)) for name in spec.names}
    objective = [_objective(spec, A, B, by)]
    for _ in range(sweeps):
        for position in torch.randperm(len(spec.names), generator=generator).tolist():
            name = spec.names[position]
            gains = _gains(spec, A, B, by, name)
            best = torch.from_numpy(linear_sum_assignment(gains.numpy(), maximize=True)[1])
            rows = torch.arange(len(best))
            if gains[rows, best].sum() > gains[rows, by[name]].sum() + _resolution(gains):
                by[name] = best
        objective.append(_objective(spec, A, B, by))
        if objective[-1] <= objective[-2]:
            return Matching(by, tuple(objective), converged=True)
    return Matching(by, tuple(objective), converged=False)


def _resolution(gains: Tensor) -> float:
    """Differences below this are rounding."""
    return 1e-12 * gains.abs().sum().item()


def _permuted_except(
    spec: PermutationSpec, tensor: str, value: Tensor, by: Permutations, skip: int | None
) -> Tensor:
    for axis, name in enumerate(spec.axes[tensor]):
        if name and axis != skip:
            value = value.index_select(axis, by[name])
    return value


def _gains(spec: PermutationSpec, A: Tensors, B: Tensors, by: Permutations, name: str) -> Tensor:
    """[n, n]; entry (i, j) is what mapping unit j of B onto unit i of A adds to the objective."""
    total = torch.zeros((len(by[name]),) * 2, dtype=torch.float64)
    for tensor, axis in spec.places(name):
        if tensor in A:
            a = A[tensor].movedim(axis, 0).flatten(1) if A[tensor].dim() > 1 else A[tensor][:, None]
            moved = _permuted_except(spec, tensor, B[tensor], by, axis)
            b = moved.movedim(axis, 0).flatten(1) if moved.dim() > 1 else moved[:, None]
            total += a @ b.T
    return total


def _objective(spec: PermutationSpec, A: Tensors, B: Tensors, by: Permutations) -> float:
    return sum(
        (A[tensor] * _permuted_except(spec, tensor, B[tensor], by, None)).sum().item()
        for tensor in A
    )

"""The density of eigenvalues by stochastic Lanczos quadrature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from phasezoo.landscape.lanczos import Floats, Krylov, lanczos
from phasezoo.landscape.products import Operator
from phasezoo.landscape.trace import signs_like


@dataclass(frozen=True)
class Density:
    """Nodes and weights [n] of a quadrature; the weights of all sum to 1."""

    nodes: Floats
    weights: Floats


NO_DENSITY = Density(np.empty(0), np.empty(0))


def densities(
    operator: Operator,
    like: torch.Tensor,
    steps: int,
    probes: int,
    generators: Sequence[torch.Generator],
) -> list[Density]:
    """Densities of eigenvalues: 1/P sum_i f(lambda_i) = E sum_j weights_j f(nodes_j).

    For each Rademacher start the nodes are the eigenvalues of the Lanczos matrix, the weights the
    squared first entries of its eigenvectors, divided by the number of probes (Ghorbani et al.
    2019, section 2.1). Exact in expectation for polynomials f of degree up to 2 steps - 1.

    Args:
        operator: symmetric, on [M, P].
        like: [M, P], for shape, type and device.
        steps: of Lanczos.
        probes: starts that are averaged.
        generators: one per row.

    Returns:
        For each row [probes * steps] nodes in ascending order; nodes that a space which closed
        early does not have are NaN with weight 0, and come last. All NaN for a row that is not
        finite.
    """
    rules: list[list[Density]] = [[] for _ in like]
    for _ in range(probes):
        rows = zip(like, generators, strict=True)
        starts = torch.stack([signs_like(row, chance) for row, chance in rows])
        spaces, _ = lanczos(operator, starts, steps, lambda space: space.off[-1] == 0, generators)
        for found, space in zip(rules, spaces, strict=True):
            found.append(_rule(space, steps, probes))
    return [_joined(found) for found in rules]


def _rule(space: Krylov, steps: int, probes: int) -> Density:
    nodes, weights = np.full(steps, np.nan), np.zeros(steps)
    if not space.finite:
        return Density(nodes, np.full(steps, np.nan))
    values, vectors = space.eigen()
    nodes[: len(values)], weights[: len(values)] = values, vectors[0] ** 2 / probes
    return Density(nodes, weights)


def _joined(rules: list[Density]) -> Density:
    nodes = np.concatenate([rule.nodes for rule in rules])
    weights = np.concatenate([rule.weights for rule in rules])
    order = np.argsort(nodes, kind="stable")  # NaN comes last
    return Density(nodes[order], weights[order])

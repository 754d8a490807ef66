"""Weight matching: Git Re-Basin, algorithm 1, which keeps the products of a sweep for the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, islice, repeat, zip_longest
from time import perf_counter

import torch

from phasezoo.landscape.network import Network
from phasezoo.merging.alignment import Alignment, require_alignable
from phasezoo.merging.descent import Descent, Start
from phasezoo.merging.permutation import Permutations, PermutationSpec
from phasezoo.merging.pieces import Pieces, Tensors, nested
from phasezoo.models.flat import Weights


@dataclass(frozen=True)
class Matching:
    """Permutations of those names that act on parameters, and how the search went."""

    permutations: Permutations
    objective: tuple[float, ...]
    converged: bool


def weight_matching(
    network: Network,
    spec: PermutationSpec,
    models: Sequence[Weights],
    generator: torch.Generator,
    *,
    sweeps: int,
    restarts: int = 0,
) -> Alignment:
    """Bring every model close to the first: `match` of their parameters. Buffers take no part.

    The objective is the sum of <A, pi(B)> over the models B that are moved.

    Args:
        network: the architecture.
        spec: its permutations.
        models: the first stays.
        generator: draws orders.
        sweeps: at the most.
        restarts: further searches, of which the best counts.

    Raises:
        ValueError: there are fewer than two models, or one has numbers that are not finite.
        AlignmentError: the spec is of a kind that is not searched (`Gains`, `Pieces`).
    """
    require_alignable(models)
    start = perf_counter()
    A, *others = parameters_by_name(network, models)
    found = [match(spec, A, B, generator, sweeps, restarts) for B in others]
    still = {name: _unmoved(perm) for name, perm in found[0].permutations.items()}
    longest = zip_longest(*(one.objective for one in found))
    last = [one.objective[-1] for one in found]
    return Alignment(
        permutations=(still, *(one.permutations for one in found)),
        objective=tuple(
            sum(end if value is None else value for value, end in zip(step, last, strict=True))
            for step in longest
        ),
        converged=all(one.converged for one in found),
        seconds=perf_counter() - start,
    )


def _unmoved(like: torch.Tensor) -> torch.Tensor:
    return torch.arange(like.shape[-1]).expand(like.shape).clone()


def parameters_by_name(
    network: Network, models: Sequence[Weights]
) -> list[dict[str, torch.Tensor]]:
    """The parameters of models by name, on the device of the network.

    In float64 if any are so large that products would leave float32.
    """
    vectors = [model.parameters.to(network.device) for model in models]
    if not all(torch.linalg.vector_norm(vector).isfinite() for vector in vectors):
        vectors = [vector.double() for vector in vectors]
    return [network.parameters.unflatten(vector) for vector in vectors]


def match(
    spec: PermutationSpec,
    A: Tensors,
    B: Tensors,
    generator: torch.Generator,
    sweeps: int,
    restarts: int = 0,
) -> Matching:
    """Maximise <A, pi(B)> over the permutations pi of a spec, by coordinate descent.

    Each step holds all permutations but one and solves the linear assignment that is left, with
    the Gram matrix of A and B over all other axes as its gains (Ainsworth et al. 2023, section
    3.2). It ends with the first sweep that gains nothing.

    The first sweep is *anchored*: it visits permutations from the fixed ends of the network
    inwards, and counts only what is known by then. What couples to a permutation that is still
    open says nothing, and in the published algorithm hides the rest. So a permuted copy is
    found exactly if the weights that count tell its units apart. A first sweep that is no better
    than the identity is undone. The first restart is the published algorithm, from the identity,
    the others are from random permutations; the objective of a search is told from the identity on.

    Products are in the type of the tensors; a step is taken if it gains more than their rounding.
    The objective is summed in float64, where the reference compared float32 sums with a tolerance
    below their resolution.

    Args:
        spec: the permutations.
        A: the parameters that stay, by name. A mapping other than a dict is asked for a tensor
            whenever it is wanted, so that models may be larger than memory.
        B: those that are permuted.
        generator: draws the order of each sweep.
        sweeps: at the most.
        restarts: further searches, of which the best counts.

    Raises:
        AlignmentError: the spec is of a kind that is not searched (`Gains`, `Pieces`).
    """
    descent = Descent(spec, Pieces(spec, A), Pieces(spec, B))
    starts: Iterator[Start] = chain(("anchored", "identity"), repeat("random"))
    found = [descent.run(generator, sweeps, start) for start in islice(starts, restarts + 1)]
    by, objective = max(found, key=lambda one: one[1][-1])
    at_rest = len(objective) > 1 and objective[-1] <= objective[-2]
    told = accumulate((found[0][1][0], *objective[1:]), max)
    on_cpu = {name: indices.cpu() for name, indices in nested(spec, by).items()}
    return Matching(on_cpu, tuple(told), at_rest)

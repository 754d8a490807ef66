"""Exhaustive alignment: every permutation there is, and the one with the lowest barrier."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations, product
from time import perf_counter

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phasezoo.data.task import Task
from phasezoo.landscape.curve import line
from phasezoo.landscape.network import Network
from phasezoo.landscape.scores import scores_of
from phasezoo.merging.alignment import Alignment, require_alignable
from phasezoo.merging.permutation import AlignmentError, Permutations, PermutationSpec, permute
from phasezoo.models.flat import Layout, Weights
from phasezoo.spec.merging import MOST_COMBINATIONS

Floats = NDArray[np.float64]
_AT_ONCE = 64  # of the paths; bounds memory, and how many are looked at that need not be


def exhaustive(
    network: Network,
    spec: PermutationSpec,
    models: Sequence[Weights],
    generator: torch.Generator,
    *,
    task: Task,
    points: int = 21,
) -> Alignment:
    """Bring every model to where its barrier to the first is lowest, of all permutations.

    The barrier is max_t L(t) - (L(0) + L(1)) / 2 of the training loss at `points` equally spaced
    points of the line, statistics re-estimated at each; of equal ones the lowest mean along the
    line counts, then the first in lexicographic order, in which the identity comes first. So the
    answer is exact: if a barrier is left, no permutation takes it away.

    All midpoints are scored first. No path is lower than its midpoint, so paths are followed in
    the order of their midpoints until one begins above the best path there is.

    The objective is minus the barrier, summed over the models, of the identity and of the best.

    Args:
        network: the architecture.
        spec: its permutations; those of statistics alone stay as they are.
        models: the first stays.
        generator: is not used, there is nothing to draw.
        task: whose training set is looked at.
        points: on the line.

    Raises:
        AlignmentError: there are more than 50,000 combinations of permutations.
        ValueError: there are fewer than two models, or one has numbers that are not finite.
    """
    require_alignable(models)
    tried = every_permutation(spec, network.parameters)
    start = perf_counter()
    paths = _Paths(network, task, points)
    found = []
    for model in models[1:]:
        moved = torch.stack([permute(network, spec, model, by).parameters for by in tried])
        found.append(paths.lowest(models[0], model, moved))
    best, before, after = zip(*found, strict=True)
    return Alignment(
        permutations=(tried[0], *(tried[i] for i in best)),
        objective=(-sum(before), -sum(after)),
        converged=True,
        seconds=perf_counter() - start,
    )


def combinations(spec: PermutationSpec, layout: Layout) -> int:
    """How many sets of permutations a network has, those of statistics alone not counted."""
    shapes = [spec.shape(name, layout) for name in _names(spec, layout)]
    return math.prod(math.factorial(n) ** math.prod(outer) for *outer, n in shapes)


def every_permutation(spec: PermutationSpec, layout: Layout) -> list[Permutations]:
    """All sets of permutations of a small network, the identity first.

    Raises:
        AlignmentError: there are more than 50,000.
    """
    count = combinations(spec, layout)
    if count > MOST_COMBINATIONS:
        size = f"{count:,}" if count < 10**12 else f"10^{math.log10(count):.0f}"
        got = f"exhaustive: got {size} combinations of permutations"
        raise AlignmentError(f"{got}, allowed are at most {MOST_COMBINATIONS:,}")
    names = _names(spec, layout)
    choices = product(*(_orders(spec.shape(name, layout)) for name in names))
    return [dict(zip(names, chosen, strict=True)) for chosen in choices]


def _names(spec: PermutationSpec, layout: Layout) -> list[str]:
    known = {slot.name for slot in layout.slots}
    return [name for name in spec.names if known & {t for t, _ in spec.places(name)}]


def _orders(shape: tuple[int, ...]) -> list[Tensor]:
    """All indices [..., n] of one permutation: an order of its n units for each outer unit."""
    *outer, n = shape
    rows = product(permutations(range(n)), repeat=math.prod(outer))
    return [torch.tensor(chosen).view(shape) for chosen in rows]


class _Paths:
    """Training losses on straight lines."""

    def __init__(self, network: Network, task: Task, points: int) -> None:
        # `scores_of` asks for both sets, of which one is looked at here
        inputs, labels = task.train_inputs, task.train_labels
        self._task = replace(task, test_inputs=inputs[:1], test_labels=labels[:1])
        self._network, self._t = network, np.linspace(0, 1, points)

    def lowest(self, first: Weights, second: Weights, moved: Tensor) -> tuple[int, float, float]:
        """Position of the best of `moved` [N, P]; the barrier of the first of them, and its own."""
        ends = self._losses(torch.stack([first.parameters, second.parameters]))
        middles = self._along(first, moved, [0.5])[:, 0]
        highest, mean = self._heights(first, moved[:1], ends)
        unmoved = float(highest[0])
        best = (unmoved, float(mean[0]), 0)
        order = np.argsort(middles, kind="stable")
        for begin in range(0, len(order), _AT_ONCE):
            some = order[begin : begin + _AT_ONCE]
            if middles[some[0]] > best[0]:
                break
            highest, mean = self._heights(first, moved[some], ends)
            best = min(best, *zip(highest.tolist(), mean.tolist(), some.tolist(), strict=True))
        return best[2], unmoved - float(ends.mean()), best[0] - float(ends.mean())

    def _heights(self, first: Weights, moved: Tensor, ends: Floats) -> tuple[Floats, Floats]:
        """Largest loss and mean loss [N] along the lines to some models; their ends are known."""
        inner = self._along(first, moved, self._t[1:-1].tolist())
        losses = np.concatenate([inner, np.broadcast_to(ends, (len(inner), 2))], axis=1)
        return losses.max(axis=1), losses.mean(axis=1)

    def _along(self, first: Weights, moved: Tensor, t: Sequence[float]) -> Floats:
        """Losses [N, T] at some points of the lines."""
        found = [
            self._losses(torch.cat([self._at(first, end, t) for end in some])).reshape(-1, len(t))
            for some in moved.split(_AT_ONCE)
        ]
        return np.concatenate(found)

    @staticmethod
    def _at(first: Weights, end: Tensor, t: Sequence[float]) -> Tensor:
        path = line(first.parameters, end)
        return torch.stack([path(one) for one in t])

    def _losses(self, vectors: Tensor) -> Floats:
        """Of vectors [K, P]; a loss that is no number is as high as can be."""
        losses = scores_of(self._network, self._task, vectors)[:, 0]
        return np.where(np.isnan(losses), np.inf, losses)

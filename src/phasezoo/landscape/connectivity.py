"""Mode connectivity of many pairs of models: curves trained together, then looked along."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phasezoo.data.task import Task
from phasezoo.landscape.bends import train_bends
from phasezoo.landscape.connection import Connection, connection, not_measured
from phasezoo.landscape.curve import Floats, bezier, line
from phasezoo.landscape.network import Network
from phasezoo.landscape.refine import Samples, Values, sampled
from phasezoo.landscape.scores import scores_of
from phasezoo.models.flat import Weights
from phasezoo.spec.metrics import Connectivity

POINT_BYTES = 2**27  # of the parameters of points that are scored together


def connect(
    network: Network,
    task: Task,
    ends: Sequence[tuple[Weights, Weights]],
    options: Connectivity,
    generators: Sequence[torch.Generator],
) -> list[Connection]:
    """Curves and straight lines between the ends of every pair, and how high they climb.

    A quadratic Bezier curve is trained for each pair (Garipov et al. 2018), all of them together;
    losses and errors are those of the clean sets, with normalisation statistics re-estimated at
    every point. The result of a pair depends on its ends and its generator; what it is computed
    together with changes the rounding only, which training may amplify.

    Args:
        network: the architecture.
        task: the data.
        ends: the first and the second model of each pair.
        options: how curves are trained and where they are looked at.
        generators: one per pair, the only source of chance.

    Returns:
        One per pair; not a number throughout where an end is not finite, and for the curve where
        its training diverged.
    """
    alive = [i for i, pair in enumerate(ends) if all(end.finite for end in pair)]
    found = {}
    if alive:
        pairs = [(ends[i][0].parameters, ends[i][1].parameters) for i in alive]
        chances = [generators[i] for i in alive]
        found = dict(zip(alive, _connect(network, task, pairs, options, chances), strict=True))
    return [found.get(i) or not_measured(options.points) for i in range(len(ends))]


def _connect(
    network: Network,
    task: Task,
    pairs: Sequence[tuple[Tensor, Tensor]],
    options: Connectivity,
    generators: Sequence[torch.Generator],
) -> list[Connection]:
    first, second = (torch.stack(side).to(network.device) for side in zip(*pairs, strict=True))
    curves = _curves(network, task, (first, second), options, generators)
    lines = _along(network, task, (first, second), None)
    straight = sampled(lines, len(pairs), options.points, rounds=0)
    each = options.repeats
    return [
        connection(curves[i * each : (i + 1) * each], straight[i], options.points)
        for i in range(len(pairs))
    ]


def _curves(
    network: Network,
    task: Task,
    ends: tuple[Tensor, Tensor],
    options: Connectivity,
    generators: Sequence[torch.Generator],
) -> list[Samples]:
    """Values along the curves of every pair, the repeats of a pair beside each other."""
    many = (
        ends[0].repeat_interleave(options.repeats, 0),
        ends[1].repeat_interleave(options.repeats, 0),
    )
    chances = [child for g in generators for child in children(g, options.repeats)]
    bends = train_bends(network, task, many, options, chances)
    values = _along(network, task, many, bends)
    return sampled(values, len(bends), options.points, options.refinements)


def children(generator: torch.Generator, count: int) -> list[torch.Generator]:
    """Independent generators; the first of them are the same for every `count`."""
    seeds = [torch.randint(2**63 - 1, (), generator=generator).item() for _ in range(count)]
    return [torch.Generator().manual_seed(int(seed)) for seed in seeds]


def _along(
    network: Network, task: Task, ends: tuple[Tensor, Tensor], bends: Tensor | None
) -> Values:
    """Scores at places of the curves with these bends, or of the straight lines."""

    def values(paths: NDArray[np.intp], places: Floats) -> Floats:
        together = max(1, POINT_BYTES // (ends[0].shape[1] * ends[0].element_size()))
        rows = []
        for start in range(0, len(paths), together):
            chosen = torch.from_numpy(paths[start : start + together]).to(network.device)
            t = torch.from_numpy(places[start : start + together]).to(ends[0])[:, None]
            first, second = (end[chosen] for end in ends)
            path = line(first, second) if bends is None else bezier(first, bends[chosen], second)
            points = path(t)
            scores = scores_of(network, task, points)
            scores[~points.isfinite().all(dim=1).cpu().numpy()] = np.nan
            rows.append(scores)
        return np.concatenate(rows)

    return values

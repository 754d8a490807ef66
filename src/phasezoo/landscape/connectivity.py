"""Mode connectivity of many pairs of models: curves trained together, then looked along."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phasezoo.data.task import Task
from phasezoo.landscape.bends import train_bends
from phasezoo.landscape.connection import Connection, connection, not_measured
from phasezoo.landscape.curve import Floats, Path, bezier, line
from phasezoo.landscape.network import Network
from phasezoo.landscape.refine import Values, sampled
from phasezoo.landscape.scores import scores_of
from phasezoo.models.flat import Weights
from phasezoo.spec.metrics import Connectivity

POINT_BYTES = 2**27  # of the parameters of points that are scored together
CURVE_BYTES = 2**31  # of the curves that are trained together; bounds memory, changes nothing else
COPIES = 12  # vectors of a curve in work, as measured: ends, bend, momentum, point, gradients, sums


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
    found: dict[int, Connection] = {}
    size = COPIES * 4 * network.parameters.size * options.repeats
    together = max(1, CURVE_BYTES // size)
    for start in range(0, len(alive), together):
        some = alive[start : start + together]
        pairs, chances = [ends[i] for i in some], [generators[i] for i in some]
        found |= zip(some, _connect(network, task, pairs, options, chances), strict=True)
    return [found.get(i) or not_measured(options.points) for i in range(len(ends))]


def _connect(
    network: Network,
    task: Task,
    pairs: Sequence[tuple[Weights, Weights]],
    options: Connectivity,
    generators: Sequence[torch.Generator],
) -> list[Connection]:
    models = {id(model): model for pair in pairs for model in pair}
    positions = {key: position for position, key in enumerate(models)}
    sides = torch.tensor([[positions[id(model)] for model in pair] for pair in pairs])
    vectors = torch.stack([m.parameters for m in models.values()]).to(network.device)
    known = scores_of(network, task, vectors)[sides.numpy()]  # a model of many pairs is scored once
    each = options.repeats
    many = sides.repeat_interleave(each, dim=0).T  # the repeats of a pair beside each other
    chances = [child for g in generators for child in children(g, each)]
    first, second = vectors[many[0]], vectors[many[1]]
    bends = train_bends(network, task, (first, second), options, chances)
    curves = sampled(
        _along(network, task, bezier, (first, bends, second), known.repeat(each, axis=0)),
        len(bends),
        options.points,
        options.refinements,
    )
    lines = _along(network, task, line, (vectors[sides[:, 0]], vectors[sides[:, 1]]), known)
    straight = sampled(lines, len(pairs), options.points, rounds=0)
    return [
        connection(curves[i * each : (i + 1) * each], straight[i], options.points)
        for i in range(len(pairs))
    ]


def children(generator: torch.Generator, count: int) -> list[torch.Generator]:
    """Independent generators; the first of them are the same for every `count`."""
    seeds = [torch.randint(2**63 - 1, (), generator=generator).item() for _ in range(count)]
    return [torch.Generator().manual_seed(int(seed)) for seed in seeds]


def _along(
    network: Network,
    task: Task,
    kind: Callable[..., Path],
    control: tuple[Tensor, ...],
    known: Floats,
) -> Values:
    """Scores at places of paths of one kind with control points [Q, P] each.

    Those at the ends are known [Q, 2, 4]. Points that are not finite have none.
    """

    def values(paths: NDArray[np.intp], places: Floats) -> Floats:
        found: Floats = known[paths, (places == 1).astype(np.intp)]
        together = max(1, POINT_BYTES // (control[0].shape[1] * control[0].element_size()))
        inner = np.flatnonzero((places > 0) & (places < 1))
        for part in np.split(inner, range(together, len(inner), together)):
            chosen = torch.from_numpy(paths[part]).to(network.device)
            t = torch.from_numpy(places[part]).to(control[0])[:, None]
            points = kind(*(of_paths[chosen] for of_paths in control))(t)
            found[part] = scores_of(network, task, points)
            found[part[~points.isfinite().all(dim=1).cpu().numpy()]] = np.nan
        return found

    return values

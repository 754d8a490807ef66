"""Groups of bodies inside and outside of a region, and which of two groups is better."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from phasezoo import rng
from phasezoo.models.flat import Layout
from phasezoo.transfer.regions import levels
from phasezoo.transfer.regions.estimates import (
    UNTOLD,
    Estimate,
    Floats,
    generator,
    interval,
)
from phasezoo.transfer.regions.levels import Level
from phasezoo.transfer.regions.models import Models
from phasezoo.transfer.regions.start import Start

Group = Literal["in", "in'", "ex"]
GROUPS: tuple[Group, ...] = get_args(Group)
COMPARISONS: tuple[tuple[Group, Group], ...] = (("in'", "ex"), ("in'", "in"), ("in", "ex"))


def groups(
    models: Models, target: str, level: Level, most: int, *names: object
) -> dict[Group, Tensor]:
    """Bodies inside and outside of the region of a level around a target, [n, D] float64 each.

    - ``in``: models as they were tuned (`levels.inside`), of more than `most` a draw.
    - ``in'``: as many random convex combinations of all of these.
    - ``ex``: as many models that were tuned elsewhere (`levels.outside`), or all that there are; of
      all models, as many random directions from the start, as long as the mean task vector.

    Every group is empty where fewer than two models are inside.

    Args:
        models: the tuned models.
        target: the data set that they are to be judged on.
        level: what those inside have in common.
        most: bodies of a group.
        names: seed what is drawn, with (target, level, group).
    """
    own = (*names, target, level)
    place = (level, target, models.datasets, models.families)
    every = models.finite(levels.inside(*place))
    if len(every) < 2:
        empty = models.bodies[:0]
        return {"in": empty, "in'": empty, "ex": empty}
    vertices, count = models.bodies[every], min(most, len(every))
    if level.startswith("general"):
        vector = vertices.mean(dim=0) - models.start.body.double()
        length = float(torch.linalg.vector_norm(vector))
        away = around(models.start, length, count, *own, "ex")
    else:
        others = models.finite(levels.outside(*place))
        away = _drawn(models.bodies[others], count, *own, "ex")
    return {
        "in": _drawn(vertices, count, *own, "in"),
        "in'": convex(vertices, count, *own, "in'"),
        "ex": away,
    }


def convex(vertices: Tensor, count: int, *names: object) -> Tensor:
    """Random convex combinations of V vertices [V, D], [count, D] float64.

    Their weights are drawn from Dirichlet(1), which is uniform over all that there are.
    """
    chance = generator(*names)
    shares = torch.from_numpy(chance.dirichlet(np.ones(len(vertices)), size=count))
    found: Tensor = shares @ vertices.double()
    return found


def around(start: Start, length: float, count: int, *names: object) -> Tensor:
    """The start plus random directions of one length, [count, D] float64.

    Directions are those of Glorot's normal weights (Glorot and Bengio 2010, equation 12): each
    tensor of two axes or more has the variance 2 / (fan-in + fan-out), vectors do not move.
    """
    chance = rng.generator(*names)
    rows = torch.stack([_glorot(start.layout, chance) for _ in range(count)])
    units: Tensor = rows / torch.linalg.vector_norm(rows, dim=1, keepdim=True)
    return start.body.double() + length * units


def better(first: Floats, second: Floats, resamples: int, *names: object) -> Estimate:
    """Probability that a random member of the first has the lower loss, ties counted half.

    PB(X, Y) = P(x < y) + P(x = y) / 2, the statistic of Mann and Whitney over both sizes. A loss
    that is not a number is higher than every other. Its interval is the percentile bootstrap over
    members of both sides; that they share data sets and vertices is not in it.

    Args:
        first: losses [a].
        second: losses [b].
        resamples: of the members.
        names: seed what is drawn.
    """
    if not (len(first) and len(second)):
        return UNTOLD
    wins = _wins(first, second)
    return interval(float(wins.mean()), _resampled(wins, resamples, generator(*names)))


def mean_better(pairs: Sequence[tuple[Floats, Floats]], resamples: int, *names: object) -> Estimate:
    """The mean of `better` over targets, with an interval over targets and the members of each.

    Args:
        pairs: losses of both sides on each target; a target without one side is left out.
        resamples: each draws targets with replacement, and members for each.
        names: seed what is drawn.
    """
    told = [_wins(*pair) for pair in pairs if len(pair[0]) and len(pair[1])]
    if not told:
        return UNTOLD
    chance = generator(*names)
    found = np.stack([_resampled(wins, resamples, chance) for wins in told], axis=1)
    drawn = chance.integers(len(told), size=found.shape)
    means = np.take_along_axis(found, drawn, axis=1).mean(axis=1)
    return interval(float(np.mean([wins.mean() for wins in told])), means)


def _wins(first: Floats, second: Floats) -> Floats:
    """1 where a member of the first is better, 1/2 where they are alike, [a, b]."""
    x, y = (np.where(np.isnan(losses), np.inf, losses) for losses in (first, second))
    won: Floats = (x[:, None] < y) + 0.5 * (x[:, None] == y)
    return won


def _resampled(wins: Floats, resamples: int, chance: np.random.Generator) -> Floats:
    """Means of a table over rows and columns drawn with replacement, [resamples]."""
    rows, columns = (
        chance.multinomial(n, np.full(n, 1 / n), size=resamples) / n for n in wins.shape
    )
    means: Floats = np.einsum("ra,ab,rb->r", rows, wins, columns, optimize=True)
    return means


def _drawn(bodies: Tensor, count: int, *names: object) -> Tensor:
    """So many of some bodies, without replacement, or all."""
    if len(bodies) <= count:
        return bodies
    return bodies[torch.randperm(len(bodies), generator=rng.generator(*names))[:count]]


def _glorot(layout: Layout, chance: torch.Generator) -> Tensor:
    tensors = {slot.name: torch.zeros(slot.shape) for slot in layout.slots}
    for tensor in tensors.values():
        if tensor.dim() > 1:
            nn.init.xavier_normal_(tensor, generator=chance)
    return layout.flatten(tensors).double()

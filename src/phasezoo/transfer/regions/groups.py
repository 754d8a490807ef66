"""Groups of bodies inside and outside of a region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from phasezoo import rng
from phasezoo.models.flat import Layout
from phasezoo.transfer.regions import levels
from phasezoo.transfer.regions.estimates import generator
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
      all models, as many random directions from the start, as long as the mean of the task vectors
      is, |mean v|. That is less than their mean length, mean |v|, by far where they are at right
      angles, and about as far from the start as ``in'`` is.

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


def settled(
    group: Group,
    level: Level,
    target: str,
    datasets: Sequence[str],
    families: Mapping[str, str],
    count: int,
) -> list[str] | None:
    """The data set of each member of a group, if it is no chance how many there are of which.

    So it is where all models that could be members are (`groups`). None where members were drawn
    from more, and where they are none of the tuned models.

    Args:
        group: which.
        level: what those inside have in common.
        target: the data set that they are judged on.
        datasets: of each tuned model that is finite, in their order.
        families: of each data set.
        count: members that the group has.
    """
    if group == "in'":
        return None
    of_group = levels.inside if group == "in" else levels.outside
    places = of_group(level, target, datasets, families)
    return [datasets[place] for place in places] if len(places) == count else None


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

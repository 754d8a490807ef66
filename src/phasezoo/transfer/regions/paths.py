"""Straight lines through two tuned bodies: between them, and on beyond both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from phasezoo import rng
from phasezoo.transfer.regions import levels
from phasezoo.transfer.regions.estimates import Floats
from phasezoo.transfer.regions.levels import Level
from phasezoo.transfer.regions.models import Models
from phasezoo.transfer.regions.task_vectors import lengths


@dataclass(frozen=True)
class Line:
    """A line through two bodies.

    Attributes:
        first: position of the model at alpha = 0.
        second: position of the model at alpha = 1.
        length: distance of the two over the mean length of all task vectors; a step of alpha goes
            as far.
    """

    first: int
    second: int
    length: float


def alphas(points: int, outward: Sequence[float]) -> Floats:
    """Places on a line: equally spaced from 0 to 1, and so far beyond either end, ascending.

    Args:
        points: from 0 to 1, both included.
        outward: distances beyond, positive; the published ones are 10 up to 31, in equal ratios, so
            that alpha goes from -31 to 32.
    """
    beyond = np.asarray(outward, dtype=np.float64)
    return np.sort(np.concatenate([-beyond, np.linspace(0, 1, points), 1 + beyond]))


def lines(models: Models, target: str, level: Level, count: int, *names: object) -> list[Line]:
    """So many lines through pairs of finite models, or all that there are.

    At the level ``dataset`` both are tuned to the target; at the levels of families to two data
    sets of its family; at the general ones to data sets of two families. Levels ``but target`` have
    no end that was tuned to it.

    Args:
        models: the tuned models.
        target: the data set that the lines are to be judged on.
        level: what the ends have in common.
        count: of lines, drawn without replacement.
        names: seed what is drawn, with (target, level).
    """
    within = models.finite(levels.inside(level, target, models.datasets, models.families))
    pairs = [
        (a, b) for i, a in enumerate(within) for b in within[i + 1 :] if _suits(models, level, a, b)
    ]
    chance = rng.generator(*names, target, level, "lines")
    chosen = torch.randperm(len(pairs), generator=chance)[:count].sort().values.tolist()
    vectors = models.vectors
    scale = float(lengths(vectors).nanmean())
    return [
        Line(a, b, float(torch.linalg.vector_norm(vectors[a] - vectors[b])) / scale)
        for a, b in (pairs[place] for place in chosen)
    ]


def along(models: Models, line: Line, at: Floats) -> Tensor:
    """Bodies (1 - alpha) first + alpha second, [points, D] float64, exact at 0 and 1.

    Args:
        models: the tuned models.
        line: through which two.
        at: alphas [points].
    """
    first, second = models.bodies[line.first], models.bodies[line.second]
    share = torch.from_numpy(at)[:, None]
    return (1 - share) * first + share * second


def inner_minimum(values: Floats, at: Floats) -> bool:
    """Whether the least of the values between both ends is lower than both.

    Args:
        values: losses at places [points].
        at: alphas [points], with 0 and 1 among them.
    """
    between = values[(at > 0) & (at < 1)]
    ends = values[(at == 0) | (at == 1)]
    return bool(between.size and between.min() < ends.min())


def _suits(models: Models, level: Level, first: int, second: int) -> bool:
    one, other = models.datasets[first], models.datasets[second]
    if level == "dataset":
        return True
    if level.startswith("family"):
        return one != other
    return models.families[one] != models.families[other]

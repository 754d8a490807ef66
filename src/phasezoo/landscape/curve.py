"""Paths between two models, what lies along them, and how high they climb."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.landscape.scores import scores_of

Floats = NDArray[np.float64]
Path = Callable[[float | Tensor], Tensor]


@dataclass(frozen=True)
class Profile:
    """Loss and error along a path, each [points], from the first end to the second."""

    train_loss: Floats
    train_error: Floats
    test_loss: Floats
    test_error: Floats


def line(first: Tensor, second: Tensor) -> Path:
    """The straight line between two parameter vectors [P], exact at both ends."""
    return lambda t: torch.lerp(first, second, torch.as_tensor(t).to(first))


def bezier(first: Tensor, bend: Tensor, second: Tensor) -> Path:
    """theta(t) = (1-t)^2 first + 2 t (1-t) bend + t^2 second."""
    return lambda t: (1 - t) ** 2 * first + 2 * t * (1 - t) * bend + t**2 * second


def profile(network: Network, task: Task, path: Path, points: int) -> Profile:
    """Loss and error at `points` equally spaced points of a path.

    Normalisation statistics are re-estimated on the whole training set at every point, the ends
    included: running means of training would put a jump there that is no property of the path.
    """
    vectors = torch.stack([path(float(t)) for t in np.linspace(0, 1, points)])
    return Profile(*scores_of(network, task, vectors).T)


def mode_connectivity(values: Floats) -> float:
    """(v_0 + v_T) / 2 - v_i, with i the point that deviates most from the mean of the ends.

    Negative: a barrier. Positive: the ends are worse than the middle. About 0: connected
    (zoo paper, facts of its curve_fitting.py:402-429; Yang et al. 2021, section 3). Both ends
    deviate by half of their difference; where nothing between them deviates more, i is the first
    end, and the sign says only which end is the better one. `barrier` has no such case.
    """
    if not np.isfinite(values).all():
        return float("nan")
    middle = (values[0] + values[-1]) / 2
    return float(middle - values[most_deviating(values)])


def most_deviating(values: Floats) -> int:
    """Position of the value that deviates most from the mean of the ends; the first of equals."""
    deviations = np.abs(values - (values[0] + values[-1]) / 2)
    deviations[-1] = deviations[0]  # they are equal but for rounding, which must not choose
    return int(deviations.argmax())


def barrier(values: Floats) -> float:
    """max_t v(t) - (v_0 + v_T) / 2 (Git Re-Basin, definition 2.2); never negative."""
    return float(values.max() - (values[0] + values[-1]) / 2)

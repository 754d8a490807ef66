"""Points of the plane: uniform, labelled by their quadrant, drawn apart for both sides."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from phasezoo.data.labelled import labelled
from phasezoo.data.task import task_from
from phasezoo.spec.plane import Quadrant

SPEC = Quadrant(source="quadrant", recipe=1, train=4001, test=2003, split_seed=0)
DATA = labelled(SPEC)


def test_labels_are_those_of_the_definition() -> None:
    task = task_from(DATA, "plane", torch.device("cpu"))
    for points, labels in (
        (task.train_inputs, task.train_labels),
        (task.test_inputs, task.test_labels),
    ):
        wanted = [int(x1 < 0 and x2 > 0) for x1, x2 in points.tolist()]
        assert labels.tolist() == wanted
    assert (task.shape, task.classes) == ((2,), 2)
    assert (len(task.train_labels), len(task.test_labels)) == (4001, 2003)


def test_points_are_uniform() -> None:
    """Each cell of a 4 x 4 grid has its share; five deviations of a binomial are 23 % of it."""
    points = DATA["point"].values
    assert points.dtype == np.float32
    counts, *_ = np.histogram2d(points[:, 0], points[:, 1], bins=4, range=[[-1, 1], [-1, 1]])
    share = len(points) / 16
    assert counts.sum() == len(points)
    assert np.abs(counts - share).max() < 5 * np.sqrt(share)


@pytest.mark.parametrize("seed", [0, 1])
def test_training_and_test_points_share_none(seed: int) -> None:
    found = labelled(SPEC.model_copy(update={"split_seed": seed}))
    side = found["split"].values
    train, test = (set(map(tuple, found["point"].values[side == s].tolist())) for s in (0, 1))
    assert not train & test
    assert (found["point"].values == DATA["point"].values).all() == (seed == 0)

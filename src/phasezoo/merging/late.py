"""Means of the late checkpoints of one model, as they are and each aligned to the last."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.merging.permutation import Permutations, PermutationSpec, permute
from phasezoo.merging.pieces import flat
from phasezoo.merging.soups import greedy_soup, uniform_soup
from phasezoo.merging.weight_matching import weight_matching
from phasezoo.models.flat import Weights
from phasezoo.spec.merging import Correction
from phasezoo.training.evaluate import Score

Floats = NDArray[np.float64]


def recipes_of(checkpoints: int) -> tuple[str, ...]:
    """Means of the last one, two and more checkpoints, and the greedy soup of all."""
    return (*(f"last_{k}" for k in range(1, checkpoints + 1)), "greedy")


def late_soups(
    network: Network,
    spec: PermutationSpec,
    task: Task,
    models: Sequence[Weights],
    corrections: Sequence[Correction],
    generator: torch.Generator,
    sweeps: int,
) -> dict[str, Floats]:
    """Test scores [correction, recipe] of means of checkpoints, and what alignment moved.

    Each checkpoint is matched to the last by its weights. Checkpoints of one run are in one frame
    unless training has exchanged units: `late_units_moved` [checkpoint] is the share of units that
    do not stay in their place.

    Args:
        network: the architecture.
        spec: its permutations.
        task: the data.
        models: the checkpoints, the latest last; all finite.
        corrections: what is put right.
        generator: of the order in which layers are matched.
        sweeps: of matching, at the most.
    """
    *before, last = models
    found = [
        weight_matching(network, spec, (last, model), generator, sweeps=sweeps).permutations[1]
        for model in before
    ]
    moved = [permute(network, spec, m, by) for m, by in zip(before, found, strict=True)]
    out = {"late_units_moved": np.array([*(share_moved(spec, by) for by in found), 0.0])}
    for name, those in (("naive", models), ("aligned", [*moved, last])):
        scores = [_scores(network, task, those, correction) for correction in corrections]
        out[f"late_soup_loss_{name}"] = np.array([[of.loss for of in row] for row in scores])
        out[f"late_soup_error_{name}"] = np.array([[of.error for of in row] for row in scores])
    return out


def _scores(
    network: Network, task: Task, models: Sequence[Weights], correction: Correction
) -> list[Score]:
    """Of every recipe."""
    lasts = [
        uniform_soup(network, task, models[-k:], correction) for k in range(1, len(models) + 1)
    ]
    return [*lasts, greedy_soup(network, task, models, correction)]


def share_moved(spec: PermutationSpec, by: Permutations) -> float:
    """Share of all units that a permutation takes from another place; 0 where there are none.

    Units within others are counted one by one: with its head, a unit that keeps its place in it
    moves too.
    """
    places = list(flat(spec, by).values())
    moved = sum(int((of != torch.arange(len(of))).sum()) for of in places)
    return moved / max(1, sum(map(len, places)))

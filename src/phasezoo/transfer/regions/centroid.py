"""The centroid of a region as a starting point for tuning few parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from phasezoo import rng
from phasezoo.data.task import Task
from phasezoo.spec.training import Optimisation
from phasezoo.transfer.regions.estimates import Floats
from phasezoo.transfer.regions.frozen import Trained
from phasezoo.transfer.regions.models import Models
from phasezoo.transfer.regions.probes import probed
from phasezoo.transfer.regions.shares import few_shot, held_out
from phasezoo.transfer.regions.tuning import Run, fine_tuned

Arm = Literal[
    "pre-trained", "centroid", "centroid but family", "centroid but domain", "scaled", "other"
]
ARMS: tuple[Arm, ...] = get_args(Arm)


@dataclass(frozen=True)
class Efficiently:
    """How few parameters are tuned, the same from every starting point.

    Attributes:
        epochs: of each tuning; with as many samples, as many steps.
        optimisation: of each.
        trained: all biases and the head, or the head alone.
        samples: of the training set that are shown, a stratified share; None: all.
        scales: of the mean task vector, among which the training set chooses.
        held_out: share of the samples shown that chooses.
        penalty: of the probe that chooses (`probes.probed`).
    """

    epochs: int
    optimisation: Optimisation
    trained: Trained
    samples: int | None
    scales: tuple[float, ...]
    held_out: float
    penalty: float


@dataclass(frozen=True)
class Tunings:
    """Test scores of the tunings from each starting point, [arms, draws] in the order of `ARMS`.

    Attributes:
        loss: not a number where a training diverged, or there is no such starting point.
        error: likewise.
        scale: of the mean task vector that was chosen, [draws].
    """

    loss: Floats
    error: Floats
    scale: Floats


def centroid(models: Models, keep: Callable[[str], bool]) -> Tensor | None:
    """Mean over data sets of the mean bodies of their finite models, [D] float64.

    Every data set counts the same, however many of its models are left. None where there are none.

    Args:
        models: the tuned models.
        keep: whether a data set takes part.
    """
    means = []
    for dataset in dict.fromkeys(filter(keep, models.datasets)):
        places = [place for place, name in enumerate(models.datasets) if name == dataset]
        if finite := models.finite(places):
            means.append(models.bodies[finite].mean(dim=0))
    return torch.stack(means).mean(dim=0) if means else None


def starting_points(
    models: Models, target: str, scale: float, domains: Mapping[str, str], *names: object
) -> dict[Arm, Tensor]:
    """Bodies [D] float64 to tune to a target from, none of which was tuned to it.

    - ``pre-trained``: the start.
    - ``centroid``: of all data sets but the target, as published.
    - ``centroid but family``, ``centroid but domain``: without those of the family, or the domain,
      of the target, of which the others tell something.
    - ``scaled``: the start plus `scale` times the mean task vector of the centroid.
    - ``other``: a model tuned to another data set, drawn from (*names, "other"): the average is to
      be better than one of those it is of.

    A starting point that there is no model for is left out.

    Args:
        models: the tuned models.
        target: the data set.
        scale: 1 is the centroid.
        domains: of each data set; empty where none are told.
        names: seed the other model.
    """
    families, start = models.families, models.start.body.double()
    mean = centroid(models, lambda name: name != target)
    places = [place for place, name in enumerate(models.datasets) if name != target]
    others, chance = models.finite(places), rng.generator(*names, "other")
    drawn = int(torch.randint(max(1, len(others)), (), generator=chance))
    found: dict[Arm, Tensor | None] = {
        "pre-trained": start,
        "centroid": mean,
        "centroid but family": centroid(models, lambda name: families[name] != families[target]),
        "centroid but domain": centroid(models, lambda name: domains[name] != domains[target])
        if domains
        else None,
        "scaled": None if mean is None else start + scale * (mean - start),
        "other": models.bodies[others[drawn]] if others else None,
    }
    return {arm: body for arm, body in found.items() if body is not None}


def chosen_scale(
    models: Models, task: Task, how: Efficiently, device: torch.device, *names: object
) -> float:
    """The scale of the mean task vector whose probe loss on held-out training samples is least.

    The test set is not seen. The first of equals; 1 where there is no centroid.

    Args:
        models: the tuned models.
        task: the target, with the samples that are shown.
        how: scales, share that is held out, penalty.
        device: where to compute.
        names: seed what is held out.
    """
    mean, start = centroid(models, lambda name: name != task.name), models.start.body.double()
    if mean is None:
        return 1.0
    bodies = torch.stack([start + scale * (mean - start) for scale in how.scales])
    judges = held_out(task, how.held_out, *names)
    loss = probed(models.start, bodies, judges, how.penalty, device=device).loss
    return how.scales[int(np.where(np.isnan(loss), np.inf, loss).argmin())]


def tunings(
    models: Models,
    task: Task,
    draws: Sequence[tuple[str, ...]],
    how: Efficiently,
    domains: Mapping[str, str],
    device: torch.device | None = None,
) -> Tunings:
    """Tune few parameters to a task from every starting point, once for each draw.

    The tunings of a draw have the same head, order and share of samples, and differ in nothing but
    the body that they start from.

    Args:
        models: the tuned models; those of the data set `task.name` are not used.
        task: the target.
        draws: names of each draw, from which its chance comes.
        how: what is tuned, and how.
        domains: of each data set; empty where none are told.
        device: None: the CPU.
    """
    device = device or torch.device("cpu")
    runs, places, scales = [], [], []
    for draw, names in enumerate(draws):
        shown = task if how.samples is None else few_shot(task, how.samples, *names)
        scales.append(chosen_scale(models, shown, how, device, *names))
        bodies = starting_points(models, task.name, scales[-1], domains, *names)
        runs += [Run(shown, names, body.float()) for body in bodies.values()]
        places += [(ARMS.index(arm), draw) for arm in bodies]
    found = fine_tuned(models.start, runs, how.epochs, how.optimisation, how.trained, device)
    loss, error = (np.full((len(ARMS), len(draws)), np.nan) for _ in range(2))
    for place, tuned in zip(places, found, strict=True):
        loss[place], error[place] = tuned.test.loss, tuned.test.error
    return Tunings(loss, error, np.array(scales))

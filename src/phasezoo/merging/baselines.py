"""What merged models are compared with, where they are judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from phasezoo.data.objective import Function
from phasezoo.data.seen import seen_samples
from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.merging.halves import Chosen, Set, always, chosen, together, with_prior
from phasezoo.models.flat import Weights
from phasezoo.spec.seen import ByLabels, Seen
from phasezoo.training.evaluate import evaluate

BASELINES = ("single", "ensemble")
JUDGED = ("single", "best", "ensemble")
OF_PARTS = ("with_prior", "full")


def baseline_names(judged: bool, seen: Seen | None) -> tuple[str, ...]:
    """Those of a zoo: more where models are judged, and where they saw parts by labels."""
    if not judged:
        return BASELINES
    return JUDGED + OF_PARTS if isinstance(seen, ByLabels) else JUDGED


def saw_a_part(seen: Seen | None, position: int) -> bool:
    """Whether the model at a position of its block did not see the whole training set."""
    return position < 2 if isinstance(seen, ByLabels) else seen is not None


@dataclass(frozen=True)
class Models:
    """Models that are merged, and what is beside them.

    Attributes:
        merged: them.
        priors: for each of them [K], the share that each class has of what it saw.
        full: models of the cell that saw the whole training set where the others did not.
    """

    merged: Sequence[Weights]
    priors: Sequence[Tensor]
    full: Sequence[Weights] = ()


def prior(task: Task, seen: Seen | None, position: int, seed: int) -> Tensor:
    """Share of each class among the training samples that a model saw, [K] in float64."""
    labels = task.train_labels
    samples = seen_samples(seen, task.name, labels, position, seed)
    counts = labels[samples] if samples is not None else labels
    shares = counts.bincount(minlength=task.classes).double()
    return shares / shares.sum()


def baselines(
    network: Network, task: Task, models: Models, seen: Seen | None
) -> dict[str, list[Chosen]]:
    """For each of `baseline_names`, the models over which it is a mean.

    ``single``: the models alone. ``best``: that of the lowest error, and of equal ones the lowest
    loss, chosen on one half of the test set to be judged on the other. ``ensemble``: the mean of
    all outputs. ``with_prior``: the models alone, each told how often classes come in the training
    set (`with_prior`; a class that it never saw is left as it is). ``full``: those that saw
    everything.
    """
    alone = [network.function(model) for model in models.merged]
    found = {
        "single": [always(function) for function in alone],
        "best": [chosen(task, lambda on: _best(task, alone, on))],
        "ensemble": [always(together(alone))],
    }
    if not isinstance(seen, ByLabels):
        return found
    everywhere = prior(task, None, 0, 0)
    told = [
        with_prior(function, *_told(own, everywhere))
        for function, own in zip(alone, models.priors, strict=True)
    ]
    full = [always(network.function(model)) for model in models.full if model.finite]
    return {**found, "with_prior": [always(function) for function in told], "full": full}


def _best(task: Task, functions: Sequence[Function], on: Set) -> Function:
    scores = [evaluate(of, on.inputs, on.labels, task.objective) for of in functions]
    ranked = sorted(range(len(scores)), key=lambda i: (scores[i].error, scores[i].loss))
    return functions[ranked[0]]


def _told(before: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
    """Shares of classes before and after, one where a model never saw a class."""
    never = before == 0
    return torch.where(never, 1.0, before), torch.where(never, 1.0, after)

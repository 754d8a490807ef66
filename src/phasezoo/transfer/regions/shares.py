"""Stratified shares of a training set: for few-shot tuning, and to choose by what is held out."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from phasezoo import rng
from phasezoo.data.task import Task
from phasezoo.vocabulary import PhasezooError


class ShareError(PhasezooError):
    """A training set cannot be shared out like this."""


def few_shot(task: Task, samples: int, *names: object) -> Task:
    """The task with so many training samples, as many of each class as its share allows.

    Every class has floor(samples n_k / n) or one more, and at least one; the samples are drawn
    from (*names, "share"). The test set stays.

    Raises:
        ShareError: there are fewer samples, or more classes than samples.
    """
    chosen, _ = _shared_out(task, samples, names)
    return replace(
        task, train_inputs=task.train_inputs[chosen], train_labels=task.train_labels[chosen]
    )


def held_out(task: Task, share: float, *names: object) -> Task:
    """The task whose test set is a stratified share of its training set, which is left out there.

    For choices that are not to see the true test set.

    Args:
        task: whose training set is shared out.
        share: of the training samples that are held out, more than 0 and less than 1; at least one
            sample of each class.
        names: seed which.

    Raises:
        ShareError: there are too few samples for one of each class on either side.
    """
    classes = int(task.train_labels.unique().numel())
    samples = max(classes, round(share * len(task.train_labels)))
    chosen, others = _shared_out(task, samples, (*names, "held out"))
    if len(task.train_labels[others].unique()) < classes:
        raise ShareError(
            f"{task.name}, held out: got {samples} of {len(task.train_labels)} samples, "
            "allowed is what leaves one of each class"
        )
    return replace(
        task,
        train_inputs=task.train_inputs[others],
        train_labels=task.train_labels[others],
        test_inputs=task.train_inputs[chosen],
        test_labels=task.train_labels[chosen],
    )


def _shared_out(task: Task, samples: int, names: tuple[object, ...]) -> tuple[Tensor, Tensor]:
    """Positions of a stratified share and of the rest, ascending, on the device of the task."""
    labels = task.train_labels.cpu()
    counts = labels.bincount()
    present = int((counts > 0).sum())
    if not present <= samples <= len(labels):
        raise ShareError(
            f"{task.name}, samples: got {samples}, allowed are {present} (its classes) to "
            f"{len(labels)} (its training samples)"
        )
    quotas, chance = _quotas(counts, samples), rng.generator(*names, "share")
    order = torch.randperm(len(labels), generator=chance)
    taken = torch.zeros(len(labels), dtype=torch.bool)
    for label, quota in enumerate(quotas.tolist()):
        taken[order[labels[order] == label][:quota]] = True
    places = torch.arange(len(labels))
    device = task.train_labels.device
    return places[taken].to(device), places[~taken].to(device)


def _quotas(counts: Tensor, samples: int) -> Tensor:
    """How many of each class, [K]: by the largest remainders, and one of each that is there."""
    exact = counts.double() * samples / counts.sum()
    quotas = exact.floor().long().clamp(min=(counts > 0).long())
    while (missing := samples - int(quotas.sum())) != 0:
        # the furthest below its share gets one more, the furthest above gives one
        room = (quotas < counts) if missing > 0 else (quotas > 1)
        distance = (exact - quotas) * (1 if missing > 0 else -1)
        quotas[distance.where(room, -torch.inf).argmax()] += 1 if missing > 0 else -1
    return quotas

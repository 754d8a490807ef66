"""Which samples of the training set a model sees, where models see different parts of it."""

from __future__ import annotations

import torch
from torch import Tensor

from phasezoo import rng
from phasezoo.spec.seen import ByLabels, Seen


def seen_samples(
    seen: Seen | None, task_name: str, labels: Tensor, position: int, seed: int
) -> Tensor | None:
    """Positions of the training samples that a model sees.

    By labels: of every class c with n_c samples the first model of a block has round(m n_c), m the
    majority, where c is of the second half of the classes, and n_c - round(m n_c) where it is of
    the first, the smaller one if their number is odd; the second model has the others. Drawn by the
    names (data set, class) only, so the same for every cell and block. By chance: round(s S) of S
    samples, at least one, drawn by the names (data set, seed).

    Args:
        seen: how the parts differ; None: every model sees everything.
        task_name: of the data set.
        labels: [S], of the training set, as they are trained on.
        position: of the model in its block.
        seed: of the model.

    Returns:
        [n] int64, increasing, on the device of the labels; None: all.

    Source: arXiv:2209.04836, section 5.4 (by labels) and appendix (by chance).
    """
    if seen is None:
        return None
    if isinstance(seen, ByLabels):
        return _by_labels(seen.majority, task_name, labels, position) if position < 2 else None
    chance = rng.generator(task_name, "seen", f"seed={seed}")
    some = torch.randperm(len(labels), generator=chance)[: seen.fewest(len(labels))]
    return _sorted(some, labels)


def _by_labels(majority: float, task_name: str, labels: Tensor, position: int) -> Tensor:
    of_first = torch.zeros(len(labels), dtype=torch.bool)
    classes = labels.unique().tolist()  # increasing
    for rank, label in enumerate(classes):
        here = (labels == label).nonzero().flatten().cpu()
        most = round(majority * len(here))
        count = most if rank >= len(classes) // 2 else len(here) - most
        chance = rng.generator(task_name, "seen", f"label={label}")
        of_first[here[torch.randperm(len(here), generator=chance)[:count]]] = True
    return _sorted((of_first == (position == 0)).nonzero().flatten(), labels)


def _sorted(chosen: Tensor, like: Tensor) -> Tensor:
    found: Tensor = chosen.sort().values
    return found.to(like.device)

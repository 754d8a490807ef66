"""Errors of models on inputs that are not like those they were trained on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch import Tensor

from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.models.flat import Weights
from phasezoo.training.evaluate import score
from phasezoo.transfer.corruptions import corrupted
from phasezoo.transfer.outputs import outputs_of

NOTHING = math.nan
Severities = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Robust:
    """What is found of one model; not a number where there is nothing to measure it on.

    Attributes:
        clean: test error on the images as they are.
        corrupted: on disturbed ones, [corruption, severity].
        shifted: test error on another data set of the same classes.
        foreign: how well test images are told from those of another data set by the largest
            probability of a class (Hendrycks and Gimpel 2017): the chance that a random own image
            has a larger one than a random foreign image, ties counted half (`told_apart`).
    """

    clean: float
    corrupted: NDArray[np.float64]
    shifted: float
    foreign: float

    @property
    def mean_corrupted(self) -> float:
        """Mean over corruptions and severities, each counted alike."""
        return float(self.corrupted.mean())

    @property
    def gain(self) -> float:
        """Clean error minus the mean on disturbed images: how much is lost, as a negative number.

        The difference of Hendrycks and Dietterich 2019 (relative corruption error), without the
        division by that of a reference network.
        """
        return self.clean - self.mean_corrupted


class Inputs:
    """What models are shown, made once for all of them."""

    def __init__(
        self, task: Task, severities: Severities, shifted: Task | None, foreign: Task | None
    ) -> None:
        """Disturbed test images of a task; other data sets with images of the same shape.

        Raises:
            ValueError: another data set has other images, or a shifted one other classes.
        """
        for other in (shifted, foreign):
            if other and other.shape != task.shape:
                raise ValueError(f"{other.name}: got {other.shape}, allowed is {task.shape}")
        if shifted and shifted.classes != task.classes:
            raise ValueError(
                f"{shifted.name}: got {shifted.classes} classes, allowed is {task.classes}"
            )
        self.task, self.shifted, self.foreign = task, shifted, foreign
        self.size = (len(severities), len(next(iter(severities.values()))))
        self.corrupted = [
            corrupted(task, name, severity) for name, of in severities.items() for severity in of
        ]


def robustness(network: Network, models: Sequence[Weights], inputs: Inputs) -> list[Robust]:
    """Show every model all of the inputs.

    Args:
        network: the architecture.
        models: finite ones.
        inputs: what they are shown.
    """
    if not models:
        return []
    task, shifted, foreign = inputs.task, inputs.shifted, inputs.foreign
    own = outputs_of(network, models, task.test_inputs)
    clean = _errors(own, task)
    disturbed = [_errors(outputs_of(network, models, x), task) for x in inputs.corrupted]
    each = np.array(disturbed).T.reshape(len(models), *inputs.size)
    moved = told = [NOTHING] * len(models)
    if shifted:
        moved = _errors(outputs_of(network, models, shifted.test_inputs), shifted)
    if foreign:
        others = outputs_of(network, models, foreign.test_inputs)
        told = [told_apart(*both) for both in zip(own, others, strict=True)]
    return [Robust(*found) for found in zip(clean, each, moved, told, strict=True)]


def told_apart(own: Tensor, others: Tensor) -> float:
    """Area under the ROC curve of the largest probability, from logits [N, K] of two data sets."""
    odds = log_odds(torch.cat([own, others]))
    if not bool(odds.isfinite().all()):
        return NOTHING
    is_own = torch.arange(len(odds)) < len(own)
    return float(roc_auc_score(is_own.numpy(), odds.cpu().numpy()))


def log_odds(logits: Tensor) -> Tensor:
    """Logarithm of the odds of the likeliest class, z_max - log sum exp of the others, float64 [N].

    With p the largest probability it is log(p / (1 - p)), so it ranks inputs as p does. But p is
    rounded to 1 from a margin of about 37 on, where sure answers would all be ties.

    Args:
        logits: [N, K], of two classes or more.
    """
    largest, at = logits.double().max(dim=1, keepdim=True)
    others = logits.double().scatter(1, at, -math.inf)
    return largest.squeeze(1) - others.logsumexp(dim=1)


def _errors(outputs: Tensor, task: Task) -> list[float]:
    return [score(of_model, task.test_labels, task.objective).error for of_model in outputs]

"""Clean evaluation: loss and error of fixed weights on a whole set, nothing augmented."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from phasezoo.data.task import Task

CHUNK = 4096  # inputs per forward pass; bounds memory, changes nothing else

Function = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Score:
    """Mean cross-entropy (nats) and share of misclassified samples, in float64."""

    loss: float
    error: float


@torch.no_grad()
def logits_of(function: Function, inputs: Tensor) -> Tensor:
    """Logits [N, K] of inputs [N, ...], computed in chunks."""
    return torch.cat([function(chunk) for chunk in inputs.split(CHUNK)])


def score(logits: Tensor, labels: Tensor) -> Score:
    """Loss and error of logits [N, K] against labels [N]; not-a-number counts as wrong."""
    loss = functional.cross_entropy(logits.double(), labels).item()
    wrong = logits.argmax(dim=1) != labels
    wrong |= ~logits.isfinite().all(dim=1)
    return Score(loss, wrong.double().mean().item())


def evaluate(function: Function, inputs: Tensor, labels: Tensor) -> Score:
    """Score of a function on a whole set."""
    return score(logits_of(function, inputs), labels)


def evaluate_both(function: Function, task: Task) -> tuple[Score, Score]:
    """Scores on the clean training set (its labels as given) and on the test set."""
    return (
        evaluate(function, task.train_inputs, task.train_labels),
        evaluate(function, task.test_inputs, task.test_labels),
    )

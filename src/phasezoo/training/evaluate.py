"""Clean evaluation: loss and error of fixed weights on a whole set, nothing augmented."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from phasezoo.data.objective import CLASSIFICATION, Function, Objective
from phasezoo.data.task import Task


@dataclass(frozen=True)
class Score:
    """Mean loss and error of a set as its objective has them, in float64."""

    loss: float
    error: float


def score(outputs: Tensor, targets: Tensor, objective: Objective = CLASSIFICATION) -> Score:
    """Loss and error of outputs [N, ...] against targets [N, ...]."""
    return _score(objective.terms(outputs, targets), objective)


@torch.no_grad()
def evaluate(
    function: Function, inputs: Tensor, targets: Tensor, objective: Objective = CLASSIFICATION
) -> Score:
    """Score of a function on a whole set; `function` puts out what the objective judges."""
    parts = zip(inputs.split(objective.chunk), targets.split(objective.chunk), strict=True)
    terms = torch.cat([objective.terms(function(some), wanted) for some, wanted in parts])
    return _score(terms, objective)


def evaluate_both(function: Function, task: Task) -> tuple[Score, Score]:
    """Scores on the clean training set (its labels as given) and on the test set."""
    return (
        evaluate(function, task.train_inputs, task.train_labels, task.objective),
        evaluate(function, task.test_inputs, task.test_labels, task.objective),
    )


def _score(terms: Tensor, objective: Objective) -> Score:
    loss = terms[:, 0].mean()
    wrong, of = terms[:, 1:].sum(dim=0)
    return Score(loss.item(), objective.error(wrong, of).item())

"""What is chosen on one half of the test set and judged on the other, both ways.

Every model of a zoo was trained on the whole training set, so there is no other data to choose a
temperature or the members of a soup by; what was chosen on the data it is judged by would be
too good.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor

from phasezoo import rng
from phasezoo.data.objective import Function, Objective
from phasezoo.data.task import Task
from phasezoo.training.evaluate import Score, evaluate, score

_LOG_TEMPERATURES = (-5.0, 5.0)
Chosen = tuple[Function, Function]  # what was chosen on the first half of the test set, the second


@dataclass(frozen=True)
class Set:
    """Inputs and labels."""

    inputs: Tensor
    labels: Tensor


def halves(task: Task) -> tuple[Set, Set]:
    """Two disjoint halves of the test set, the same for all models of a data set."""
    count = len(task.test_labels)
    order = torch.randperm(count, generator=rng.generator(task.name, "halves"))
    parts = (part.sort().values.to(task.test_labels.device) for part in order.tensor_split(2))
    first, second = (Set(task.test_inputs[part], task.test_labels[part]) for part in parts)
    return first, second


@dataclass(frozen=True)
class Calibrated:
    """Test loss after temperature scaling, and the temperature, means over both ways."""

    loss: float
    temperature: float


def calibrated(function: Function, task: Task) -> Calibrated:
    """Temperature scaling (Guo et al. 2017): logits over T, the T of least loss on one half.

    Not a number where outputs are not the logits of one class for each input.
    """
    if not task.objective.classifies:
        return Calibrated(float("nan"), float("nan"))
    sets = halves(task)
    logits = [logits_of(function, of.inputs, task.objective) for of in sets]
    if not all(bool(of.isfinite().all()) for of in logits):
        return Calibrated(float("nan"), float("nan"))
    found = []
    for chosen, judged in ((0, 1), (1, 0)):
        t = temperature(logits[chosen], sets[chosen].labels, task.objective)
        found.append((score(logits[judged] / t, sets[judged].labels, task.objective).loss, t))
    loss, mean = np.mean(found, axis=0)
    return Calibrated(float(loss), float(mean))


def temperature(logits: Tensor, labels: Tensor, objective: Objective) -> float:
    """T in [e^-5, e^5] that minimises the mean loss of logits [N, K] over T; unique, if inside.

    The loss is convex in 1 / T.
    """
    wide = logits.double()

    def loss(log_temperature: float) -> float:
        return objective.loss(wide * float(np.exp(-log_temperature)), labels).item()

    exact = {"xatol": 1e-6}
    found = minimize_scalar(loss, bounds=_LOG_TEMPERATURES, method="bounded", options=exact)
    return float(np.exp(found.x))


def always(function: Function) -> Chosen:
    """A function that nothing is chosen of."""
    return function, function


def chosen(task: Task, choose: Callable[[Set], Function]) -> Chosen:
    """What is chosen on either half."""
    first, second = halves(task)
    return choose(first), choose(second)


def judged_apart(task: Task, of: Chosen) -> Score:
    """Mean score over both ways of what was chosen on one half, judged on the other."""
    first, second = halves(task)
    found = [
        evaluate(function, judged.inputs, judged.labels, task.objective)
        for function, judged in zip(of, (second, first), strict=True)
    ]
    return Score(*np.mean([(one.loss, one.error) for one in found], axis=0).tolist())


def chosen_and_judged(task: Task, choose: Callable[[Set], Function]) -> Score:
    """Mean score over both ways of a function that is chosen on one half, judged on the other."""
    return judged_apart(task, chosen(task, choose))


@torch.no_grad()
def logits_of(function: Function, inputs: Tensor, objective: Objective) -> Tensor:
    """Outputs [N, K] on all inputs [N, ...], chunk by chunk."""
    return torch.cat([function(part) for part in inputs.split(objective.chunk)])


def together(functions: Sequence[Function]) -> Function:
    """The ensemble: the mean of the outputs of functions, of logits where they classify."""
    return lambda inputs: torch.stack([function(inputs) for function in functions]).mean(dim=0)


def with_prior(function: Function, before: Tensor, after: Tensor) -> Function:
    """A classifier whose classes were seen as often as `before` [K], for where it is `after` [K].

    Adds log after - log before to the logits: exact for a model of the posterior, if nothing but
    how often classes come is different (Saerens et al. 2002). The baseline of merging models of
    different data: one of them alone, told how often classes come.
    """
    return lambda inputs: function(inputs) + (after.log() - before.log()).to(inputs.device)

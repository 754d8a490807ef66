"""Loss and error of many parameter vectors of one architecture."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.func import vmap

from phasezoo.data.objective import Objective
from phasezoo.data.task import Task
from phasezoo.landscape.gradients import (
    CONVOLVE_FROM,
    is_convolvable,
    is_stackable,
    rows_as_tensors,
    vectors_per_stack,
)
from phasezoo.landscape.network import Network
from phasezoo.models.batch_last.layers import StackedResNet, Statistics
from phasezoo.training.evaluate import evaluate_both

EVALUATED = 256  # inputs that go through convolutions at once, so that they stay in the cache
STACK_BYTES = 2**22  # of one layer's output in a stack of vectors; more leaves the cache


def scores_of(network: Network, task: Task, vectors: Tensor) -> NDArray[np.float64]:
    """Scores of parameter vectors on the clean training and test sets.

    Normalisation statistics are re-estimated on the training inputs for every vector.

    Args:
        network: the architecture.
        task: the data.
        vectors: [K, P].

    Returns:
        [K, 4] training loss, training error, test loss, test error, in float64.
    """
    if is_stackable(network):
        return stacked_scores(network, task, vectors.to(network.device))
    if is_convolvable(network) and len(vectors) >= CONVOLVE_FROM:
        return convolved_scores(network, task, vectors.to(network.device))
    return looped_scores(network, task, vectors)


def looped_scores(network: Network, task: Task, vectors: Tensor) -> NDArray[np.float64]:
    """Those of one vector after the other."""
    rows = []
    for vector in vectors:
        weights = network.with_statistics(vector, task.train_inputs)
        train, test = evaluate_both(network.function(weights), task)
        rows.append((train.loss, train.error, test.loss, test.error))
    return np.array(rows)


@torch.no_grad()
def stacked_scores(network: Network, task: Task, vectors: Tensor) -> NDArray[np.float64]:
    """Those of networks of linear layers, mapped over."""
    forward = vmap(lambda tensors, inputs: network.call(network.module, tensors, inputs), (0, None))
    chunk = task.objective.chunk
    widest = max(slot.shape[0] for slot in network.parameters.slots)
    inputs = min(chunk, max(len(task.train_labels), len(task.test_labels)))
    inputs *= max(1, task.train_labels[0].numel())
    together = max(1, STACK_BYTES // (widest * inputs * vectors.element_size()))
    sets = ((task.train_inputs, task.train_labels), (task.test_inputs, task.test_labels))
    rows = []
    for stack in vectors.split(together):
        tensors = rows_as_tensors(network, stack)
        found: list[Tensor] = []
        for samples, labels in sets:
            outputs = (forward(tensors, part) for part in samples.split(chunk))
            found += _scores(task.objective, outputs, labels)
        rows.append(torch.stack(found, dim=1))
    return torch.cat(rows).cpu().numpy()


@torch.no_grad()
def convolved_scores(network: Network, task: Task, vectors: Tensor) -> NDArray[np.float64]:
    """Those of narrow residual networks, statistics re-estimated as `Network` does it."""
    stacked = StackedResNet(network.module)
    sets = ((task.train_inputs, task.train_labels), (task.test_inputs, task.test_labels))
    rows = []
    whole = min(task.objective.chunk, len(task.train_inputs))  # statistics take them at once
    for stack in vectors.split(vectors_per_stack(task, whole)):
        tensors = rows_as_tensors(network, stack)
        statistics = _statistics(stacked, tensors, task, len(stack))
        found: list[Tensor] = []
        for samples, labels in sets:
            parts = (part.expand(len(stack), *part.shape) for part in samples.split(EVALUATED))
            outputs = (stacked.evaluate(tensors, statistics, part) for part in parts)
            found += _of_logits(torch.cat(list(outputs), dim=1), labels)
        rows.append(torch.stack(found, dim=1))
    return torch.cat(rows).numpy()


def _statistics(
    stacked: StackedResNet, tensors: dict[str, Tensor], task: Task, models: int
) -> Statistics:
    """The plain average over chunks of the training inputs."""
    chunks = task.train_inputs.tensor_split(-(-len(task.train_inputs) // task.objective.chunk))
    found = [stacked.statistics(tensors, c.expand(models, *c.shape)) for c in chunks]
    means = {}
    for name in found[0]:
        mean, variance = zip(*(one[name] for one in found), strict=True)
        means[name] = torch.stack(mean).mean(dim=0), torch.stack(variance).mean(dim=0)
    return means


def _scores(
    objective: Objective, outputs: Iterator[Tensor], targets: Tensor
) -> tuple[Tensor, Tensor]:
    """Loss and error [K] of outputs in chunks [K, n, ...]; as `training.evaluate.score` of each.

    Outputs other than the logits of one class may be large: one chunk of them is held at a time.
    """
    if objective.classifies:
        return _of_logits(torch.cat(list(outputs), dim=1), targets)
    terms = vmap(objective.terms, (0, None))
    parts = zip(outputs, targets.split(objective.chunk), strict=True)
    found = torch.cat([terms(some, wanted) for some, wanted in parts], dim=1)  # [K, N, 3]
    wrong, of = found[..., 1:].sum(dim=1).T
    return found[..., 0].mean(dim=1), objective.error(wrong, of)


def _of_logits(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy and share misclassified [K] of logits [K, N, C].

    Classes come first where they are summed over: reductions over a short last axis are slow.
    """
    largest, found = logits.max(dim=2)
    wide = logits.permute(2, 0, 1).double().contiguous()
    true = wide.gather(0, labels.expand(1, *largest.shape))[0]
    losses = (wide - largest).exp_().sum(dim=0).log_() + (largest - true)
    wrong = (found != labels) | ~wide.sum(dim=0).isfinite()
    return losses.mean(dim=1), wrong.double().mean(dim=1)

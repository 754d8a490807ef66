"""Models without their smallest weights: as they are, and after training what is left."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.models.flat import Weights, load_weights
from phasezoo.spec.downstream import Pruning
from phasezoo.training.evaluate import evaluate
from phasezoo.training.member import Member
from phasezoo.training.train import start
from phasezoo.transfer.held import train_held
from phasezoo.transfer.magnitudes import kept
from phasezoo.transfer.together import together
from phasezoo.vocabulary import Status

Model = tuple[Weights, tuple[str, ...]]  # a model, and the names of it


@dataclass(frozen=True)
class Pruned:
    """Test errors of one model; not a number where a training diverged.

    Attributes:
        whole: of the model with all its weights.
        retrained_whole: the same, trained further for the budget of the retrained ones.
        pruned: without its smallest weights, [scope, sparsity].
        retrained: of what is left, after training it further, [scope, sparsity].
    """

    whole: float
    retrained_whole: float
    pruned: NDArray[np.float64]
    retrained: NDArray[np.float64]

    @property
    def gain(self) -> float:
        """Error of the whole model minus the mean of the pruned ones; mostly negative."""
        return self.whole - float(self.pruned.mean())

    @property
    def retrained_gain(self) -> float:
        """The same after training either further for the same budget."""
        return self.retrained_whole - float(self.retrained.mean())


def pruning(
    network: Network, models: Sequence[Model], task: Task, options: Pruning
) -> list[Pruned]:
    """Prune each model in every way, and train all that is left of it, and the whole, further.

    All trainings of a model see the samples in the same order. Removed weights stay 0. Statistics
    of normalisation are re-estimated on the training inputs before any error is measured, that of
    the whole model included, so that nothing but weights differs.

    Args:
        network: the architecture.
        models: finite ones, with names that seed the order of samples.
        task: what they were trained on.
        options: what to remove, and how to train.
    """
    each = 1 + len(options.scopes) * len(options.sparsities)
    stack = together(network.module, task, options.optimisation, each * len(models))
    some = max(1, stack // each)  # models at once, which bounds the memory
    found = []
    for start_at in range(0, len(models), some):
        found += _pruned(network, models[start_at : start_at + some], task, options)
    return found


def _pruned(
    network: Network, models: Sequence[Model], task: Task, options: Pruning
) -> list[Pruned]:
    whole = torch.ones(network.parameters.size, dtype=torch.bool)
    ways = list(product(options.scopes, options.sparsities))
    vectors, free = [], []
    for weights, _ in models:
        theta = weights.parameters
        stays = [whole, *(kept(network.module, theta, s, scope) for scope, s in ways)]
        free += stays
        vectors += [theta * stay for stay in stays]
    errors = [_error(network, task, vector) for vector in vectors]
    names = [(*of_model, "retrain") for _, of_model in models for _ in (whole, *ways)]
    further = [
        _error(network, task, vector)
        for vector in _retrained(network, vectors, torch.stack(free), names, task, options)
    ]
    size = (len(options.scopes), len(options.sparsities))
    before, after = (np.array(e).reshape(len(models), -1) for e in (errors, further))
    return [
        Pruned(b[0], a[0], b[1:].reshape(size), a[1:].reshape(size))
        for b, a in zip(before, after, strict=True)
    ]


def _retrained(
    network: Network,
    vectors: Sequence[Tensor],
    free: Tensor,
    names: Sequence[tuple[str, ...]],
    task: Task,
    options: Pruning,
) -> list[Tensor | None]:
    """Parameters after further training; none of a model that diverged."""
    how, module = options.optimisation, copy.deepcopy(network.module)
    members = []
    for vector, of_model in zip(vectors, names, strict=True):
        load_weights(module, network.with_statistics(vector, task.train_inputs))
        members.append(Member(of_model, task, how, start(module, how.optimiser.moments)))
    last = train_held(module, members, free, options.retrain_epochs)
    return [c.weights.parameters if c.status is Status.TRAINED else None for c in last]


def _error(network: Network, task: Task, vector: Tensor | None) -> float:
    """Test error of some parameters, statistics re-estimated."""
    if vector is None:
        return float("nan")
    function = network.function(network.with_statistics(vector, task.train_inputs))
    return evaluate(function, task.test_inputs, task.test_labels, task.objective).error

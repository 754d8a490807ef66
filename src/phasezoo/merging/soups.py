"""Soups: one model made of many."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from phasezoo.data.objective import Function
from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.merging.corrections import merged
from phasezoo.merging.halves import Chosen, Set, chosen, judged_apart
from phasezoo.models.flat import Weights
from phasezoo.spec.merging import Correction
from phasezoo.training.evaluate import Score, evaluate


def uniform_soup(
    network: Network, task: Task, models: Sequence[Weights], correction: Correction
) -> Score:
    """Test score of the mean of all models."""
    function = mean_of(network, task, models, correction)
    return evaluate(function, task.test_inputs, task.test_labels, task.objective)


def greedy_soup(
    network: Network, task: Task, models: Sequence[Weights], correction: Correction
) -> Score:
    """Score of the soup that takes in models one by one (`greedy`), judged apart."""
    return judged_apart(task, greedy(network, task, models, correction))


def greedy(
    network: Network, task: Task, models: Sequence[Weights], correction: Correction
) -> Chosen:
    """The soup that takes in models one by one (Wortsman et al. 2022, recipe 1).

    From the best model on, in the order of their errors, one stays in if the error of the mean
    does not rise. Members are chosen on one half of the test set, to be judged on the other.
    """

    def choose(on: Set) -> Function:
        members = greedy_members(network, task, models, correction, on)
        return mean_of(network, task, [models[i] for i in members], correction)

    return chosen(task, choose)


def greedy_members(
    network: Network, task: Task, models: Sequence[Weights], correction: Correction, on: Set
) -> list[int]:
    """Positions of the models in the greedy soup that is chosen on a set; the best is the first."""

    def error(members: Sequence[int]) -> float:
        function = mean_of(network, task, [models[i] for i in members], correction)
        return evaluate(function, on.inputs, on.labels, task.objective).error

    alone = torch.tensor([error([i]) for i in range(len(models))])
    best, *others = alone.argsort(stable=True).tolist()
    members, lowest = [best], alone[best].item()
    for candidate in others:
        reached = error([*members, candidate])
        if reached <= lowest:
            members, lowest = [*members, candidate], reached
    return members


def mean_of(
    network: Network, task: Task, models: Sequence[Weights], correction: Correction
) -> Function:
    """The mean of models, put right on the training set."""
    shares = [1 / len(models)] * len(models)
    return network.function(merged(network, models, shares, correction, task.train_inputs))

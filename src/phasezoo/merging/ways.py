"""The ways of aligning by their names in the spec."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import assert_never

import torch

from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.merging.activation_matching import Statistic, activation_matching
from phasezoo.merging.alignment import Aligner, Alignment, require_alignable
from phasezoo.merging.exhaustive import exhaustive
from phasezoo.merging.merge_many import merge_many
from phasezoo.merging.permutation import PermutationSpec, cycles, permute
from phasezoo.merging.straight_through import straight_through
from phasezoo.merging.universe import universe
from phasezoo.merging.weight_matching import weight_matching
from phasezoo.models.flat import Weights
from phasezoo.spec.merging import Arms, Way


def aligner_of(way: Way, task: Task, arms: Arms, sweeps: int, points: int = 21) -> Aligner:
    """An aligner with its options; those that look at data see the training set.

    Args:
        way: its name.
        task: the data.
        arms: the options.
        sweeps: of any search, at the most.
        points: on the lines that an exhaustive search compares.

    Raises:
        ValueError: it learns, and the options do not say how.
    """
    match way:
        case "none":
            return _left_alone
        case "weights":
            return partial(weight_matching, sweeps=sweeps, restarts=arms.restarts)
        case "activations" | "products":
            inputs, _ = task.training_sample(arms.samples, "merging")
            statistic: Statistic = "product" if way == "products" else "correlation"
            return partial(activation_matching, inputs=inputs, statistic=statistic)
        case "straight_through":
            if arms.learning is None:  # the spec sees to it
                raise ValueError("learning: got none, allowed is how straight_through learns")
            return partial(straight_through, task=task, learning=arms.learning, sweeps=sweeps)
        case "merge_many":
            return partial(merge_many, sweeps=sweeps)
        case "universe":
            return partial(universe, sweeps=sweeps)
        case "exhaustive":
            return partial(exhaustive, task=task, points=points)
        case _:
            assert_never(way)


def _left_alone(
    network: Network,
    spec: PermutationSpec,
    models: Sequence[Weights],
    generator: torch.Generator,
) -> Alignment:
    """Models as they are."""
    require_alignable(models)
    return Alignment(({},) * len(models), (float("nan"),), converged=True, seconds=0.0)


def recovers(
    aligner: Aligner,
    network: Network,
    spec: PermutationSpec,
    model: Weights,
    generator: torch.Generator,
) -> bool:
    """Whether an aligner finds every unit of a copy of a model that all were moved in.

    The mean over models is the recovery rate of known permutations.
    """
    copy = permute(network, spec, model, cycles(spec, network.parameters, generator))
    pair = [model, copy]
    found = aligner(network, spec, pair, generator)
    first, second = found.applied(network, spec, pair)
    return torch.equal(first.parameters, second.parameters)

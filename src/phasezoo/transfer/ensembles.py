"""Ensembles: several models that answer as one, by the mean of what each says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, assert_never, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phasezoo.data.objective import Objective
from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.models.flat import Weights
from phasezoo.training.evaluate import Score
from phasezoo.transfer.outputs import outputs_of

Average = Literal["probabilities", "logits"]
AVERAGES: tuple[Average, ...] = get_args(Average)


@dataclass(frozen=True)
class Ensemble:
    """Some models together on the test set.

    Attributes:
        singles: each model alone.
        averages: the ensemble, for each of `AVERAGES`.
        disagreement: share of the answers in which two of the models differ, mean over the pairs;
            not a number for one model.
    """

    singles: tuple[Score, ...]
    averages: tuple[Score, ...]
    disagreement: float

    @property
    def single_error(self) -> float:
        """Mean error of the models."""
        return float(np.mean([single.error for single in self.singles]))

    @property
    def single_loss(self) -> float:
        """Mean loss of the models."""
        return float(np.mean([single.loss for single in self.singles]))

    @property
    def best_error(self) -> float:
        """The lowest error of the models; as it is chosen on the test set, it is a bound."""
        return min(single.error for single in self.singles)

    @property
    def gain(self) -> float:
        """Mean error of the models minus that of their averaged probabilities."""
        return self.single_error - self.averages[0].error

    @property
    def errors(self) -> NDArray[np.float64]:
        """Errors of the ensemble, for each of `AVERAGES`."""
        return np.array([average.error for average in self.averages])

    @property
    def losses(self) -> NDArray[np.float64]:
        """Losses of the ensemble, for each of `AVERAGES`."""
        return np.array([average.loss for average in self.averages])

    @property
    def diversity(self) -> NDArray[np.float64]:
        """Mean loss of the models minus that of the ensemble, never negative.

        loss of the ensemble = mean loss - diversity. Of averaged probabilities p it is the mean of
        log p(y) - log p_i(y), of averaged logits the mean of KL(p | p_i), whatever the labels are
        (Wood et al. 2023, arXiv:2301.03962).
        """
        return self.single_loss - self.losses


def averaged(outputs: Tensor, average: Average) -> Tensor:
    """Log-probabilities [N, ..., K] of the ensemble of models with logits [M, N, ..., K].

    The mean of logits, normalised, is the normalised geometric mean of the probabilities.
    """
    logs = outputs.double().log_softmax(dim=-1)
    match average:
        case "probabilities":
            return logs.logsumexp(dim=0) - math.log(len(logs))
        case "logits":
            return logs.mean(dim=0).log_softmax(dim=-1)
        case _:
            assert_never(average)


def ensembles(
    network: Network, models: Sequence[Weights], task: Task, groups: Sequence[tuple[int, ...]]
) -> list[Ensemble]:
    """What groups of models are worth as ensembles.

    Args:
        network: the architecture; its outputs are logits.
        models: finite ones.
        task: of images or text.
        groups: positions of the models of each ensemble.
    """
    if not groups:
        return []
    count, chunk = _Count(network.objective, len(models), groups), network.objective.chunk
    parts = zip(task.test_inputs.split(chunk), task.test_labels.split(chunk), strict=True)
    for inputs, labels in parts:
        count.add(outputs_of(network, models, inputs), labels)
    return [count.ensemble(place) for place in range(len(groups))]


class _Count:
    """What models say alone and together of a set that is seen part by part."""

    def __init__(
        self, objective: Objective, models: int, groups: Sequence[tuple[int, ...]]
    ) -> None:
        self._groups, self._answers = groups, 0
        self._alone = [_Tally(objective) for _ in range(models)]
        self._together = [[_Tally(objective) for _ in AVERAGES] for _ in groups]
        pairs = (pair for group in groups for pair in combinations(group, 2))
        self._differing = dict.fromkeys(pairs, 0)

    def add(self, outputs: Tensor, labels: Tensor) -> None:
        """Count some more inputs, of which the models say outputs [M, N, ...]."""
        for alone, of_model in zip(self._alone, outputs, strict=True):
            alone.add(of_model, labels)
        for group, tallies in zip(self._groups, self._together, strict=True):
            for tally, average in zip(tallies, AVERAGES, strict=True):
                tally.add(averaged(outputs[list(group)], average), labels)
        answers = outputs.argmax(dim=-1)
        self._answers += answers[0].numel()
        for one, other in self._differing:
            self._differing[one, other] += int((answers[one] != answers[other]).sum())

    def ensemble(self, place: int) -> Ensemble:
        """What was counted of one of the groups."""
        group = self._groups[place]
        alone = tuple(self._alone[position].score for position in group)
        averages = tuple(tally.score for tally in self._together[place])
        differing = [self._differing[pair] for pair in combinations(group, 2)]
        share = float(np.mean(differing)) / self._answers if differing else math.nan
        return Ensemble(alone, averages, share)


class _Tally:
    """Losses and errors of a set that is seen part by part."""

    def __init__(self, objective: Objective) -> None:
        self._objective, self._inputs = objective, 0
        self._sums = torch.zeros(3, dtype=torch.float64)

    def add(self, outputs: Tensor, labels: Tensor) -> None:
        """Count some more inputs."""
        self._sums += self._objective.terms(outputs, labels).sum(dim=0).cpu()
        self._inputs += len(labels)

    @property
    def score(self) -> Score:
        """Of all of them."""
        loss, wrong, of = self._sums
        return Score(loss.item() / self._inputs, self._objective.error(wrong, of).item())

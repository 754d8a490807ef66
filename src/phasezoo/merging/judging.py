"""Judging models on a task: on the training set, on the test set, and there with a temperature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phasezoo.data.objective import Function
from phasezoo.data.task import Task
from phasezoo.merging.halves import Chosen, Set, halves, logits_of, temperature
from phasezoo.merging.judgement import Judgement, judgement, marks, mean_judgement

Floats = NDArray[np.float64]
OUTPUTS = ("train", "test", "calibrated")  # what is judged
NUMBERS = ("loss", "error", "top5_error", "calibration_error")
CURVE = ("count", "confidence", "accuracy")


@dataclass(frozen=True)
class Verdict:
    """The judgements of one model.

    Attributes:
        numbers: [outputs, numbers].
        curves: [outputs, curve, bins].
    """

    numbers: Floats
    curves: Floats

    @classmethod
    def of(cls, found: Sequence[Judgement]) -> Verdict:
        """From the judgements of all outputs."""
        return cls(
            np.array([[getattr(of, name) for name in NUMBERS] for of in found]),
            np.array([[getattr(of.curve, name) for name in CURVE] for of in found]),
        )


Verdicts = Verdict | Sequence["Verdicts"]


@dataclass(frozen=True)
class Judge:
    """Judges by a task with so many bins of confidence.

    Where outputs are not the logits of one class for each input, nothing is said.
    """

    task: Task
    bins: int

    def __call__(self, *several: Chosen) -> Verdict:
        """The verdict on one model, or the mean over several (`mean_judgement`).

        A model that is chosen on a half of the test set is judged on the other half, both ways, so
        that every test sample counts once, and on the whole training set, the mean of both ways.
        The temperature by which outputs are divided is chosen on the half that the model is.
        """
        if not self.task.objective.classifies or not several:
            return Verdict.of([judgement(_nothing(), self.bins)] * len(OUTPUTS))
        each = [self._judged(chosen) for chosen in several]
        return Verdict.of([mean_judgement(of) for of in zip(*each, strict=True)])

    def _judged(self, chosen: Chosen) -> tuple[Judgement, ...]:
        same = chosen[0] is chosen[1]
        ways = chosen[:1] if same else chosen
        of_training = torch.cat([self._on(way, self._training) for way in ways])
        test, calibrated = zip(*self._tested(chosen), strict=True)
        return (
            judgement(of_training, self.bins, len(ways)),
            judgement(torch.cat(test), self.bins),
            judgement(torch.cat(calibrated), self.bins),
        )

    @property
    def _training(self) -> Set:
        return Set(self.task.train_inputs, self.task.train_labels)

    @torch.no_grad()
    def _on(self, function: Function, of: Set) -> Tensor:
        chunk = self.task.objective.chunk
        parts = zip(of.inputs.split(chunk), of.labels.split(chunk), strict=True)
        return torch.cat([marks(function(inputs), labels) for inputs, labels in parts])

    def _tested(self, chosen: Chosen) -> list[tuple[Tensor, Tensor]]:
        """Marks on the half that each was not chosen on, as they are and with its temperature."""
        first, second = halves(self.task)
        found = []
        for function, on, other in ((chosen[0], first, second), (chosen[1], second, first)):
            there, outputs = (
                logits_of(function, of.inputs, self.task.objective) for of in (on, other)
            )
            if there.isfinite().all() and outputs.isfinite().all():
                scale = temperature(there, on.labels, self.task.objective)
                calibrated = marks(outputs.double() / scale, other.labels)
            else:
                calibrated = _nothing(len(outputs))
            found.append((marks(outputs, other.labels), calibrated))
        return found


def _nothing(samples: int = 1) -> Tensor:
    return torch.full((samples, 4), torch.nan, dtype=torch.float64)


def stored(prefix: str, found: Verdicts) -> dict[str, Floats]:
    """Verdicts by the names of stored variables, over the axes of the lists they lie in.

    Numbers are [..., outputs], what makes a curve [..., outputs, bins].
    """
    numbers, curves = _array(found, "numbers"), _array(found, "curves")
    return {
        **{f"{prefix}_{name}": numbers[..., i] for i, name in enumerate(NUMBERS)},
        **{f"{prefix}_bin_{name}": curves[..., i, :] for i, name in enumerate(CURVE)},
    }


def _array(found: Verdicts, name: str) -> Floats:
    if isinstance(found, Verdict):
        values: Floats = getattr(found, name)
        return values
    return np.array([_array(of, name) for of in found])

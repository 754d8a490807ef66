"""Every way of aligning with every correction: paths between pairs, soups of seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.merging.alignment import Aligner, Alignment
from phasezoo.merging.corrections import merger
from phasezoo.merging.halves import calibrated, together
from phasezoo.merging.permutation import PermutationSpec
from phasezoo.merging.soups import greedy_soup, uniform_soup
from phasezoo.merging.ways import aligner_of
from phasezoo.models.flat import Weights
from phasezoo.spec.merging import Correction, Merging, Way
from phasezoo.training.evaluate import evaluate, evaluate_both

Floats = NDArray[np.float64]
Named = dict[str, Floats]  # by the names of the stored variables
SOUPS = ("uniform", "greedy")
BASELINES = ("single", "ensemble")
PATH = ("path_train_loss", "path_train_error", "path_test_loss", "path_test_error")


def values_of_search(options: Merging) -> int:
    """Values of the objective that any search of the arms has at the most."""
    if options.arms is None:
        return 0
    learned = options.arms.learning.epochs if options.arms.learning else 0
    return max(options.sweeps, learned) + 1


@dataclass(frozen=True)
class Arms:
    """What is to be compared on the models of one cell.

    Attributes:
        network: the architecture.
        spec: its permutations.
        task: the data.
        options: with arms.
    """

    network: Network
    spec: PermutationSpec
    task: Task
    options: Merging

    @property
    def alignments(self) -> tuple[Way, ...]:
        """The ways of aligning."""
        return self.options.arms.alignments if self.options.arms else ()

    @property
    def corrections(self) -> tuple[Correction, ...]:
        """What is put right."""
        return self.options.arms.corrections if self.options.arms else ()

    def aligner(self, way: Way) -> Aligner:
        """One way of aligning, with the options of the spec.

        Raises:
            ValueError: it has no arms.
        """
        if self.options.arms is None:
            raise ValueError("arms: got none, allowed are those of the spec")
        options = self.options
        return aligner_of(way, self.task, self.options.arms, options.sweeps, options.points)

    def aligned(
        self, way: Way, models: Sequence[Weights], generator: torch.Generator
    ) -> tuple[list[Weights], Alignment]:
        """Models brought together one way."""
        found = self.aligner(way)(self.network, self.spec, models, generator)
        return found.applied(self.network, self.spec, models), found

    def of_pair(self, ends: Sequence[Weights], alignments: Sequence[Alignment]) -> Named:
        """Scores along the straight line, and at its middle with the temperature of least loss.

        Paths are [alignment, correction, t], numbers of the middle [alignment, correction]; the
        objective of a search is [alignment, sweep], not a number after its end.
        """
        rows = [
            [self._path(found.applied(self.network, self.spec, ends), c) for c in self.corrections]
            for found in alignments
        ]
        told = [self._padded(found.objective) for found in alignments]
        paths = np.array([[path for path, _ in row] for row in rows])  # [A, C, T, 4]
        middles = np.array([[middle for _, middle in row] for row in rows])  # [A, C, 2]
        return {
            **{name: paths[..., i] for i, name in enumerate(PATH)},
            "midpoint_calibrated_loss": middles[..., 0],
            "midpoint_temperature": middles[..., 1],
            "alignment_objective": np.array(told),
            "alignment_converged": np.array([float(found.converged) for found in alignments]),
        }

    def _padded(self, objective: Sequence[float]) -> Floats:
        missing = values_of_search(self.options) - len(objective)
        return np.pad(objective, (0, missing), constant_values=np.nan)

    def _path(self, ends: Sequence[Weights], correction: Correction) -> tuple[Floats, Floats]:
        """Scores [T, 4] along the line; loss and temperature of the middle, calibrated."""
        merge = merger(self.network, ends, correction, self.task.train_inputs)
        rows = []
        for t in np.linspace(0, 1, self.options.points):
            function = self.network.function(merge((1 - t, t)))
            train, test = evaluate_both(function, self.task)
            rows.append((train.loss, train.error, test.loss, test.error))
        middle = calibrated(self.network.function(merge((0.5, 0.5))), self.task)
        return np.array(rows), np.array([middle.loss, middle.temperature])

    def of_seeds(self, models: Sequence[Weights], aligned: Sequence[Sequence[Weights]]) -> Named:
        """Soups of seeds [alignment, correction, soup], and what they are measured by [baseline].

        Args:
            models: as they are.
            aligned: for each way, in its frame.
        """
        soups = [[self._soups(of, correction) for correction in self.corrections] for of in aligned]
        scores = np.array(soups)  # [A, C, soup, 2]
        return {
            "soup_loss": scores[..., 0],
            "soup_error": scores[..., 1],
            **self._baselines(models),
        }

    def _soups(
        self, models: Sequence[Weights], correction: Correction
    ) -> list[tuple[float, float]]:
        recipes = (uniform_soup, greedy_soup)
        scores = [recipe(self.network, self.task, models, correction) for recipe in recipes]
        return [(score.loss, score.error) for score in scores]

    def _baselines(self, models: Sequence[Weights]) -> Named:
        """The mean of the models alone, and the ensemble of their outputs."""
        functions = [self.network.function(model) for model in models]
        rows = []
        for function in (*functions, together(functions)):
            inputs, labels = self.task.test_inputs, self.task.test_labels
            score = evaluate(function, inputs, labels, self.task.objective)
            rows.append((score.loss, score.error, calibrated(function, self.task).loss))
        *alone, ensemble = rows
        both = np.array([np.mean(alone, axis=0), ensemble])
        names = ("baseline_loss", "baseline_error", "baseline_calibrated_loss")
        return {name: both[:, i] for i, name in enumerate(names)}

    def of_checkpoints(self, models: Sequence[Weights]) -> Named:
        """The mean of checkpoints of one model [correction]."""
        scores = [uniform_soup(self.network, self.task, models, c) for c in self.corrections]
        return {
            "checkpoint_soup_loss": np.array([score.loss for score in scores]),
            "checkpoint_soup_error": np.array([score.error for score in scores]),
        }

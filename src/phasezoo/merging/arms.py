"""Every way of aligning with every correction: paths between pairs, soups of seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasezoo.data.objective import Function
from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.merging.alignment import Aligner, Alignment
from phasezoo.merging.baselines import Models, baselines
from phasezoo.merging.corrections import merger
from phasezoo.merging.halves import always, calibrated, judged_apart, together
from phasezoo.merging.judging import OUTPUTS, Judge, Verdict, stored
from phasezoo.merging.permutation import PermutationSpec
from phasezoo.merging.soups import greedy, mean_of, uniform_soup
from phasezoo.merging.ways import aligner_of
from phasezoo.models.flat import Weights
from phasezoo.spec.merging import Correction, Merging, Way
from phasezoo.spec.seen import Seen
from phasezoo.training.evaluate import Score, evaluate, evaluate_both

Floats = NDArray[np.float64]
Named = dict[str, Floats]  # by the names of the stored variables
SOUPS = ("uniform", "greedy")
OF_BASELINE = ("baseline_loss", "baseline_error", "baseline_calibrated_loss")
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
        seen: what the models saw of the training set.
    """

    network: Network
    spec: PermutationSpec
    task: Task
    options: Merging
    seen: Seen | None = None

    @property
    def alignments(self) -> tuple[Way, ...]:
        """The ways of aligning."""
        return self.options.arms.alignments if self.options.arms else ()

    @property
    def corrections(self) -> tuple[Correction, ...]:
        """What is put right."""
        return self.options.arms.corrections if self.options.arms else ()

    @property
    def judge(self) -> Judge | None:
        """Who judges merged models, if they are to be judged."""
        judged = self.options.arms and self.options.arms.judged
        return Judge(self.task, judged.bins) if judged else None

    def aligner(self, way: Way) -> Aligner:
        """One way of aligning, with the options of the spec.

        Raises:
            ValueError: it has no arms.
        """
        if self.options.arms is None:
            raise ValueError("arms: got none, allowed are those of the spec")
        options = self.options
        return aligner_of(way, self.task, self.options.arms, options.sweeps, options.points)

    def of_pair(self, models: Models, alignments: Sequence[Alignment]) -> Named:
        """Scores along the straight line, and at its middle with the temperature of least loss.

        Paths are [alignment, correction, t], numbers of the middle [alignment, correction]; the
        objective of a search is [alignment, sweep], not a number after its end. Verdicts, where
        there is a judge, are on the middle and on the baselines.
        """
        ends = models.merged
        rows = [
            [self._path(found.applied(self.network, self.spec, ends), c) for c in self.corrections]
            for found in alignments
        ]
        told = [self._padded(found.objective) for found in alignments]
        paths = np.array([[along.scores for along in row] for row in rows])  # [A, C, T, 4]
        middles = np.array([[along.middle for along in row] for row in rows])  # [A, C, 2]
        verdicts = [[of.verdict for of in row if of.verdict] for row in rows]
        return {
            **{name: paths[..., i] for i, name in enumerate(PATH)},
            "midpoint_calibrated_loss": middles[..., 0],
            "midpoint_temperature": middles[..., 1],
            "alignment_objective": np.array(told),
            "alignment_converged": np.array([float(found.converged) for found in alignments]),
            **(stored("judged_midpoint", verdicts) if self.judge else {}),
            **self._judged_baselines("judged_pair_baseline", models),
        }

    def _padded(self, objective: Sequence[float]) -> Floats:
        missing = values_of_search(self.options) - len(objective)
        return np.pad(objective, (0, missing), constant_values=np.nan)

    def _path(self, ends: Sequence[Weights], correction: Correction) -> _Along:
        merge = merger(self.network, ends, correction, self.task.train_inputs)
        rows = []
        for t in np.linspace(0, 1, self.options.points):
            function = self.network.function(merge((1 - t, t)))
            train, test = evaluate_both(function, self.task)
            rows.append((train.loss, train.error, test.loss, test.error))
        halfway = self.network.function(merge((0.5, 0.5)))
        middle = calibrated(halfway, self.task)
        verdict = self.judge(always(halfway)) if self.judge else None
        return _Along(np.array(rows), np.array([middle.loss, middle.temperature]), verdict)

    def _judged_baselines(self, prefix: str, models: Models) -> Named:
        """Verdicts [baseline] on what merged models are compared with."""
        if (judge := self.judge) is None:
            return {}
        beside = baselines(self.network, self.task, models, self.seen)
        return stored(prefix, [judge(*several) for several in beside.values()])

    def of_seeds(self, models: Models, aligned: Sequence[Sequence[Weights]]) -> Named:
        """Soups of seeds [alignment, correction, soup], and what they are measured by [baseline].

        Args:
            models: as they are.
            aligned: for each way, in its frame.
        """
        soups = [[self._soups(of, correction) for correction in self.corrections] for of in aligned]
        scores = np.array([[of for of, _ in row] for row in soups])  # [A, C, soup, 2]
        verdicts = [[of for _, of in row] for row in soups]
        return {
            "soup_loss": scores[..., 0],
            "soup_error": scores[..., 1],
            **self._baselines(models),
            **(stored("judged_soup", verdicts) if self.judge else {}),
        }

    def _soups(
        self, models: Sequence[Weights], correction: Correction
    ) -> tuple[list[tuple[float, float]], list[Verdict]]:
        """Loss and error of every soup, and the verdicts on them."""
        given = (self.network, self.task, models, correction)
        uniform, chosen = always(mean_of(*given)), greedy(*given)
        scores = (self._tested(uniform[0]), judged_apart(self.task, chosen))
        verdicts = [self.judge(of) for of in (uniform, chosen)] if self.judge else []
        return [(score.loss, score.error) for score in scores], verdicts

    def _tested(self, function: Function) -> Score:
        return evaluate(function, self.task.test_inputs, self.task.test_labels, self.task.objective)

    def _baselines(self, models: Models) -> Named:
        """The mean of the models alone, and the ensemble of their outputs; more if judged."""
        if self.judge:
            found = self._judged_baselines("judged_baseline", models)
            test, scaled = (OUTPUTS.index(of) for of in ("test", "calibrated"))
            losses, errors = (found[f"judged_baseline_{of}"] for of in ("loss", "error"))
            plain = (losses[:, test], errors[:, test], losses[:, scaled])
            return {**found, **dict(zip(OF_BASELINE, plain, strict=True))}
        functions = [self.network.function(model) for model in models.merged]
        rows = []
        for function in (*functions, together(functions)):
            score = self._tested(function)
            rows.append((score.loss, score.error, calibrated(function, self.task).loss))
        *alone, ensemble = rows
        both = np.array([np.mean(alone, axis=0), ensemble])
        return {name: both[:, i] for i, name in enumerate(OF_BASELINE)}

    def of_checkpoints(self, models: Sequence[Weights]) -> Named:
        """The mean of checkpoints of one model [correction]."""
        scores = [uniform_soup(self.network, self.task, models, c) for c in self.corrections]
        return {
            "checkpoint_soup_loss": np.array([score.loss for score in scores]),
            "checkpoint_soup_error": np.array([score.error for score in scores]),
        }


@dataclass(frozen=True)
class _Along:
    """What lies on a line: scores [T, 4], loss and temperature of its middle, the verdict on it."""

    scores: Floats
    middle: Floats
    verdict: Verdict | None

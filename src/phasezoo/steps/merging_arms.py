"""The arms of merging, in the rows of a cell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from phasezoo import rng
from phasezoo.merging.alignment import Alignment
from phasezoo.merging.arms import SOUPS, Arms
from phasezoo.merging.baselines import Models, baseline_names, prior, saw_a_part
from phasezoo.merging.judging import OUTPUTS
from phasezoo.merging.late import late_soups, recipes_of
from phasezoo.merging.stored import labelled
from phasezoo.merging.ways import recovers
from phasezoo.models.flat import Weights
from phasezoo.spec.jobs import MeasureJob
from phasezoo.spec.merging import Merging, Way
from phasezoo.spec.seen import ByLabels
from phasezoo.steps.alignment_times import AlignmentTimes
from phasezoo.steps.cells import Axes, Cell, Row, Value
from phasezoo.store import schema
from phasezoo.store.variables import Variable
from phasezoo.vocabulary import SEED

_ALWAYS = ("single_error", "checkpoint_average_error")  # also without arms


def axes_of(job: MeasureJob, units: Sequence[str]) -> Axes:
    """The axes of the arms; empty where there are none, or what lies along them is not asked for.

    Args:
        job: of merging.
        units: those of all loads, if permutations are stored.
    """
    options = job.options_as(Merging)
    arms = options.arms
    learned = arms.learning.epochs if arms and arms.learning else 0
    judged = arms.judged if arms else None
    late = sorted(options.last_checkpoints) if arms and arms.recipes else []
    names: dict[str, Iterable[str]] = {
        "alignment": arms.alignments if arms else (),
        "correction": arms.corrections if arms else (),
        "soup": SOUPS if arms else (),
        "baseline": baseline_names(judged is not None, job.seen) if arms else (),
        "outputs": OUTPUTS if judged else (),
        "recipe": recipes_of(len(late)) if late else (),
        "unit": units,
    }
    return {
        **{axis: np.array(list(of), dtype=object) for axis, of in names.items()},
        "t": np.linspace(0, 1, options.points if arms else 0),
        "sweep": np.arange(max(options.sweeps, learned) + 1 if arms else 0, dtype=np.int32),
        "bin": np.linspace(0, 1, judged.bins + 1)[1:] if judged and judged.curves else np.empty(0),
        "checkpoint": np.array(late, dtype=np.int32),
    }


@dataclass(frozen=True)
class ArmsOfCell:
    """What the arms make of a cell.

    Attributes:
        arms: what is to be compared.
        cell: the models.
        axes: of `axes_of`.
        times: of alignments.
    """

    arms: Arms
    cell: Cell
    axes: Axes
    times: AlignmentTimes

    def of_pair(self, pair: tuple[int, int]) -> dict[str, Value]:
        """What lies between two models that are aligned every way."""
        models, names = self._models(pair), self.cell.pair_names(pair)
        found = [
            self._aligned(way, models.merged, pair, "path", names) for way in self.arms.alignments
        ]
        return {**self.arms.of_pair(models, found), "permutation": self._permutations(found)}

    def _permutations(self, found: Sequence[Alignment]) -> Value:
        """Of the second model onto the first [alignment, unit]."""
        spec, layout, units = self.arms.spec, self.arms.network.parameters, self.axes["unit"]
        if not len(units):
            return np.empty(0)
        onto = (alignment.onto(spec, 0, 1) for alignment in found)
        return np.array([labelled(spec, layout, by, units.tolist()) for by in onto])

    def _aligned(
        self,
        way: Way,
        models: Sequence[Weights],
        positions: Sequence[int],
        purpose: str,
        names: tuple[str, ...],
    ) -> Alignment:
        arms = self.arms
        chance = rng.generator(*names, "align", way)
        found = arms.aligner(way)(arms.network, arms.spec, models, chance)
        self.times.add(self.cell, positions, purpose, way, found)
        return found

    def _models(self, positions: Sequence[int]) -> Models:
        """Models to merge, with those that saw everything where they did not."""
        cell, seen = self.cell, self.arms.seen
        if not (self.arms.judge and isinstance(seen, ByLabels)):
            return Models([cell.models[i] for i in positions], ())
        places = places_of(cell)
        return Models(
            [cell.models[i] for i in positions],
            [prior(self.arms.task, seen, places[i], cell.seeds[i]) for i in positions],
            [m for m, at in zip(cell.models, places, strict=True) if not saw_a_part(seen, at)],
        )

    def of_seeds(self, late: Sequence[Sequence[Weights]]) -> Row:
        """Soups of the seeds of a block, and what is measured of each model.

        Args:
            late: the late checkpoints of every model, or none of any.
        """
        rows = [self._of_model(i, of_model) for i, of_model in enumerate(late)]
        of_models = {name: [row[name] for row in rows] for name in rows[0]}
        return {**of_models, **{name: [value] for name, value in self._of_block().items()}}

    def _of_model(self, position: int, late: Sequence[Weights]) -> dict[str, Value]:
        arms, cell, model = self.arms, self.cell, self.cell.models[position]
        missing = missing_row(SEED, self.axes)
        if not all(one.finite for one in (model, *late)):
            return missing
        names, found = cell.names(cell.seeds[position]), []
        for way in arms.alignments:
            chance = rng.generator(*names, "recover", way, cell.job.epoch)
            found.append(float(recovers(arms.aligner(way), arms.network, arms.spec, model, chance)))
        soups = arms.of_checkpoints(late) if late else {}
        return {**missing, "alignment_recovery": np.array(found), **soups, **self._late(position)}

    def _late(self, position: int) -> dict[str, Value]:
        """Recipes of late checkpoints, where all of them are there."""
        arms, cell, epoch = self.arms, self.cell, self.cell.job.epoch
        late = [cell.at(at)[position] for at in sorted(arms.options.late_at(epoch))]
        if not (late and len(self.axes["recipe"])):
            return {}
        names = (*cell.names(cell.seeds[position]), f"epoch={epoch}", "late")
        return {
            **late_soups(
                arms.network,
                arms.spec,
                arms.task,
                late,
                arms.corrections,
                rng.generator(*names),
                arms.options.sweeps,
            )
        }

    def _of_block(self) -> dict[str, Value]:
        cell, members = self.cell, members_of(self.cell)
        if not all(cell.models[i].finite for i in members):
            return missing_row("block", self.axes)
        names = (
            *cell.names(cell.seeds[0]),
            f"seeds={cell.seeds}",
            f"epoch={cell.job.epoch}",
        )
        models = self._models(members)
        aligned = [
            self._aligned(way, models.merged, members, "soup", names).applied(
                self.arms.network, self.arms.spec, models.merged
            )
            for way in self.arms.alignments
        ]
        return {**self.arms.of_seeds(models, aligned)}


def places_of(cell: Cell) -> list[int]:
    """For every model of a cell, its position in its own block."""
    return [*range(len(cell.job.seeds)), *range(len(cell.job.partners))]


def members_of(cell: Cell) -> list[int]:
    """Positions of the models of a block that are merged: those of parts, where they saw parts.

    Where parts are by labels, the models after the first two saw everything.
    """
    positions = list(range(len(cell.seeds)))
    if not isinstance(cell.job.seen, ByLabels):
        return positions
    return [i for i in positions if saw_a_part(cell.job.seen, i)]


def missing_row(axis: str, axes: Axes) -> dict[str, Value]:
    """What stands for the arms of a pair, model or block of which there is nothing to tell."""
    declared = schema.family_variables("merging")
    return {
        name: nothing(variable, axes)
        for name, variable in declared.items()
        if axis in variable.dims and is_asked(variable, axes) and name not in _ALWAYS
    }


def is_asked(variable: Variable, axes: Axes) -> bool:
    """Whether a variable has something along all its axes."""
    return all(len(axes[axis]) for axis in variable.dims if axis in axes)


def nothing(variable: Variable, axes: Axes) -> Value:
    """What stands for a variable of what is not finite: not a number, neither yes nor no."""
    missing = float(schema.missing_value(variable))
    own = [len(axes[axis]) for axis in variable.dims if axis in axes]
    return np.full(own, missing) if own else missing

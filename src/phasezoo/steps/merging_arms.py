"""The arms of merging, in the rows of a cell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from phasezoo import rng
from phasezoo.merging.arms import BASELINES, SOUPS, Arms
from phasezoo.merging.ways import recovers
from phasezoo.models.flat import Weights
from phasezoo.spec.merging import Merging
from phasezoo.steps.cells import Axes, Cell, Row, Value
from phasezoo.steps.log import say
from phasezoo.store import schema
from phasezoo.store.variables import Variable

_OF_CHECKPOINTS = ("checkpoint_soup_loss", "checkpoint_soup_error")
_OF_MODEL = ("alignment_recovery", *_OF_CHECKPOINTS)


def axes_of(options: Merging) -> Axes:
    """The axes of the arms; empty where there are none."""
    arms = options.arms
    learned = arms.learning.epochs if arms and arms.learning else 0
    names = {
        "alignment": arms.alignments if arms else (),
        "correction": arms.corrections if arms else (),
        "soup": SOUPS if arms else (),
        "baseline": BASELINES if arms else (),
    }
    return {
        **{axis: np.array(of, dtype=object) for axis, of in names.items()},
        "t": np.linspace(0, 1, options.points if arms else 0),
        "sweep": np.arange(max(options.sweeps, learned) + 1 if arms else 0, dtype=np.int32),
    }


def nothing(variable: Variable, axes: Axes) -> Value:
    """What stands for a variable of what is not finite: not a number, neither yes nor no."""
    missing = float(schema.missing_value(variable))
    own = [len(axes[axis]) for axis in variable.dims if axis in axes]
    return np.full(own, missing) if own else missing


def arms_of_pair(arms: Arms, ends: Sequence[Weights], names: tuple[str, ...]) -> dict[str, Value]:
    """What lies between two models that are aligned every way; the time of each is logged."""
    found = []
    for way in arms.alignments:
        _, alignment = arms.aligned(way, ends, rng.generator(*names, "align", way))
        say(f"aligned by {way} in {alignment.seconds:.3g} s: {' '.join(names)}")
        found.append(alignment)
    return {**arms.of_pair(ends, found)}


def late_of(arms: Arms, cell: Cell) -> list[list[Weights]]:
    """The late checkpoints of every model; none at an epoch before the last of them."""
    late = [cell.at(epoch) for epoch in arms.options.late_at(cell.job.epoch)]
    return [list(of_model) for of_model in zip(*late, strict=True)] or [[] for _ in cell.models]


def arms_of_seeds(arms: Arms, cell: Cell, axes: Axes) -> Row:
    """Soups of the seeds of a block, and what is measured of each model."""
    late = late_of(arms, cell)
    rows = [_of_model(arms, cell, axes, i, of_seed) for i, of_seed in enumerate(late)]
    of_models = {name: [row[name] for row in rows] for name in rows[0]}
    return {**of_models, **{name: [value] for name, value in _of_block(arms, cell, axes).items()}}


def _of_model(
    arms: Arms, cell: Cell, axes: Axes, position: int, late: Sequence[Weights]
) -> dict[str, Value]:
    model, names = cell.models[position], cell.names(cell.seeds[position])
    if not all(one.finite for one in (model, *late)):
        return _nothing(_OF_MODEL, axes)
    found = []
    for way in arms.alignments:
        chance = rng.generator(*names, "recover", way, cell.job.epoch)
        found.append(float(recovers(arms.aligner(way), arms.network, arms.spec, model, chance)))
    soups = {**arms.of_checkpoints(late)} if late else _nothing(_OF_CHECKPOINTS, axes)
    return {"alignment_recovery": np.array(found), **soups}


def _of_block(arms: Arms, cell: Cell, axes: Axes) -> dict[str, Value]:
    models = cell.models
    if not all(model.finite for model in models):
        declared = schema.family_variables("merging")
        return _nothing([n for n in declared if n.startswith(("soup_", "baseline_"))], axes)
    names = (*cell.names(cell.seeds[0]), f"seeds={cell.seeds}", f"epoch={cell.job.epoch}")
    aligned = [
        arms.aligned(way, models, rng.generator(*names, "align", way))[0] for way in arms.alignments
    ]
    return {**arms.of_seeds(models, aligned)}


def _nothing(names: Sequence[str], axes: Axes) -> dict[str, Value]:
    declared = schema.family_variables("merging")
    return {name: nothing(declared[name], axes) for name in names}

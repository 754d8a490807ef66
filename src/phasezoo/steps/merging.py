"""Merging of the seeds of every cell of a share, naive and aligned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from phasezoo import rng
from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.merging.arms import Arms
from phasezoo.merging.merge import average_error, merge_pair, single_error
from phasezoo.merging.permutation import PermutationSpec, infer, prove
from phasezoo.merging.pieces import require_one_level
from phasezoo.merging.weight_matching import weight_matching
from phasezoo.models.flat import Weights
from phasezoo.spec.jobs import MeasureJob
from phasezoo.spec.merging import Merging
from phasezoo.steps.cells import Axes, Cell, Row, Value, measure
from phasezoo.steps.device import prepare
from phasezoo.steps.merging_arms import arms_of_pair, arms_of_seeds, axes_of, late_of, nothing
from phasezoo.store import schema
from phasezoo.store.dataset import read_task
from phasezoo.store.variables import Variable
from phasezoo.vocabulary import PAIR

NOTHING = float("nan")


def merging(job: MeasureJob, data: Path, weights: Sequence[Path], output: Path, gpus: int) -> None:
    """Merge pairs, seeds and late checkpoints, each pair also after weight matching.

    With arms in the spec, also every way of aligning with every correction.
    """
    options = job.options_as(Merging)
    axes = axes_of(options)

    def measured(network: Network, task: Task, cells: Sequence[Cell]) -> list[Row]:
        spec = infer(network.module, _two_inputs(task))
        require_one_level(spec)
        arms = Arms(network, spec, task, options)
        return [_of_cell(arms, cell, axes) for cell in cells]

    measure(job, read_task(data, prepare(gpus)), weights, output, measured, axes)


def _two_inputs(task: Task) -> Tensor:
    """What a network is called with; a row of an equation begins with the point that it asks of."""
    rows = task.test_inputs[:2]
    return rows if rows.shape[1:] == task.shape else rows[:, : task.shape[0]]


def _of_cell(arms: Arms, cell: Cell, axes: Axes) -> Row:
    network, task, models = arms.network, arms.task, cell.models
    _prove(network, arms.spec, models, task, cell)
    pairs = _pairs(arms, cell, axes)
    if cell.job.partners:
        return pairs
    of_seeds = {
        "single_error": [single_error(network, task, model) for model in models],
        "checkpoint_average_error": [
            average_error(network, task, late) if late else NOTHING for late in late_of(arms, cell)
        ],
    }
    more = arms_of_seeds(arms, cell, axes) if arms.options.arms else {}
    return {**pairs, **of_seeds, **_seed_averages(arms, cell), **more}


def _prove(
    network: Network, spec: PermutationSpec, models: list[Weights], task: Task, cell: Cell
) -> None:
    """A spec that changes the function is refused before it is used."""
    for seed, model in zip(cell.seeds, models, strict=True):
        if model.finite:
            chance = rng.generator(*cell.names(seed), "prove")
            prove(network, spec, model, task.test_inputs[:64], chance)


def _pairs(arms: Arms, cell: Cell, axes: Axes) -> Row:
    declared = schema.family_variables("merging")
    asked = {n: v for n, v in declared.items() if PAIR in v.dims and _is_asked(v, axes)}
    rows: list[Mapping[str, Value]] = []
    for pair in cell.pairs:
        ends = (cell.models[pair[0]], cell.models[pair[1]])
        if all(end.finite for end in ends):
            more = arms_of_pair(arms, ends, cell.pair_names(pair)) if arms.options.arms else {}
            rows.append({**_pair(arms, ends, cell.pair_names(pair)), **more})
        else:
            rows.append({name: nothing(variable, axes) for name, variable in asked.items()})
    return {name: [row[name] for row in rows] for name in asked}


def _is_asked(variable: Variable, axes: Axes) -> bool:
    return all(len(axes[axis]) for axis in variable.dims if axis in axes)


def _pair(arms: Arms, ends: tuple[Weights, Weights], names: tuple[str, ...]) -> dict[str, float]:
    network, task, options = arms.network, arms.task, arms.options
    chance = rng.generator(*names, "matching")
    matching = weight_matching(network, arms.spec, ends, chance, sweeps=options.sweeps)
    naive = merge_pair(network, task, ends, options.points)
    _, moved = matching.applied(network, arms.spec, ends)
    aligned = merge_pair(network, task, (ends[0], moved), options.points)
    return {
        "barrier_naive": naive.loss_barrier,
        "barrier_aligned": aligned.loss_barrier,
        "error_barrier_naive": naive.error_barrier,
        "error_barrier_aligned": aligned.error_barrier,
        "midpoint_error_naive": naive.midpoint_error,
        "midpoint_error_aligned": aligned.midpoint_error,
        "ends_error": naive.ends_error,
        "matching_gain": matching.gain,
        "matching_converged": float(matching.converged),
    }


def _seed_averages(arms: Arms, cell: Cell) -> Row:
    """Averages of all seeds of the block: as they are, and each aligned to the first."""
    network, task, models = arms.network, arms.task, cell.models
    if not all(model.finite for model in models):
        return {"seed_average_error_naive": [NOTHING], "seed_average_error_aligned": [NOTHING]}
    aligned = [models[0]]
    for position, model in enumerate(models[1:], start=1):
        chance = rng.generator(*cell.pair_names((0, position)), "matching")
        ends = (models[0], model)
        sweeps = arms.options.sweeps
        matching = weight_matching(network, arms.spec, ends, chance, sweeps=sweeps)
        aligned.append(matching.applied(network, arms.spec, ends)[1])
    return {
        "seed_average_error_naive": [average_error(network, task, models)],
        "seed_average_error_aligned": [average_error(network, task, aligned)],
    }

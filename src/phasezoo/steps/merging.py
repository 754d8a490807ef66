"""Merging of the seeds of every cell of a share, naive and aligned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from torch import Tensor

from phasezoo import rng
from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.merging.arms import Arms
from phasezoo.merging.merge import average_error, merge_pair, single_error
from phasezoo.merging.permutation import PermutationSpec, infer, prove
from phasezoo.merging.pieces import require_one_level
from phasezoo.merging.stored import all_units, units_of
from phasezoo.merging.weight_matching import weight_matching
from phasezoo.models.flat import Weights
from phasezoo.spec.jobs import MeasureJob
from phasezoo.spec.merging import Merging
from phasezoo.steps.alignment_times import AlignmentTimes
from phasezoo.steps.cells import Cell, Row, Value, measure, network_at
from phasezoo.steps.device import prepare
from phasezoo.steps.merging_arms import ArmsOfCell, axes_of, members_of, missing_row
from phasezoo.store.dataset import read_task
from phasezoo.vocabulary import PAIR, Number

NOTHING = float("nan")


def merging(
    job: MeasureJob,
    data: Path,
    weights: Sequence[Path],
    output: Path,
    gpus: int,
    seconds: Path | None = None,
) -> None:
    """Merge pairs, seeds and late checkpoints, each pair also after weight matching.

    With arms in the spec, also every way of aligning with every correction. What alignments took
    is told in a table, `seconds`.
    """
    task, options = read_task(data, prepare(gpus)), job.options_as(Merging)

    @cache
    def at(load: Number) -> tuple[Network, PermutationSpec]:
        network = network_at(job, task, load)
        spec = infer(network.module, _two_inputs(task))
        require_one_level(spec)
        return network, spec

    is_stored = options.arms is not None and options.arms.permutations
    each = [units_of(spec, net.parameters) for net, spec in map(at, job.loads if is_stored else ())]
    axes, times = axes_of(job, all_units(each)), AlignmentTimes(seconds)

    def measured(network: Network, of_load: Task, cells: Sequence[Cell]) -> list[Row]:
        arms = Arms(network, at(cells[0].load)[1], of_load, options, job.seen)
        return [_of_cell(ArmsOfCell(arms, cell, axes, times)) for cell in cells]

    measure(job, task, weights, output, measured, axes)


def _two_inputs(task: Task) -> Tensor:
    """What a network is called with; a row of an equation begins with the point that it asks of."""
    rows = task.test_inputs[:2]
    return rows if rows.shape[1:] == task.shape else rows[:, : task.shape[0]]


def _of_cell(of: ArmsOfCell) -> Row:
    arms, cell = of.arms, of.cell
    network, task, models = arms.network, arms.task, cell.models
    _prove(network, arms.spec, models, task, cell)
    pairs = _pairs(of)
    if cell.job.partners:
        return pairs
    each = _late(of)
    of_seeds = {
        "single_error": [single_error(network, task, model) for model in models],
        "checkpoint_average_error": [
            average_error(network, task, late) if late else NOTHING for late in each
        ],
    }
    more = of.of_seeds(each) if arms.options.arms else {}
    return {**pairs, **of_seeds, **_seed_averages(arms, cell), **more}


def _late(of: ArmsOfCell) -> list[list[Weights]]:
    """The late checkpoints of every model; none at an epoch before the last of them."""
    late = [of.cell.at(epoch) for epoch in of.arms.options.late_at(of.cell.job.epoch)]
    return [list(each) for each in zip(*late, strict=True)] or [[] for _ in of.cell.models]


def _prove(
    network: Network, spec: PermutationSpec, models: list[Weights], task: Task, cell: Cell
) -> None:
    """A spec that changes the function is refused before it is used."""
    for seed, model in zip(cell.seeds, models, strict=True):
        if model.finite:
            chance = rng.generator(*cell.names(seed), "prove")
            prove(network, spec, model, task.test_inputs[:64], chance)


def _pairs(of: ArmsOfCell) -> Row:
    missing, cell = missing_row(PAIR, of.axes), of.cell
    rows: list[Mapping[str, Value]] = []
    for pair in cell.pairs:
        if all(cell.models[i].finite for i in pair):
            plain = _pair(of, pair)
            rows.append({**plain, **(of.of_pair(pair) if of.arms.options.arms else {})})
        else:
            rows.append(missing)
    return {name: [row[name] for row in rows] for name in missing}


def _pair(of: ArmsOfCell, pair: tuple[int, int]) -> dict[str, float]:
    arms, cell = of.arms, of.cell
    network, task, options = arms.network, arms.task, arms.options
    ends = (cell.models[pair[0]], cell.models[pair[1]])
    chance = rng.generator(*cell.pair_names(pair), "matching")
    matching = weight_matching(network, arms.spec, ends, chance, sweeps=options.sweeps)
    of.times.add(cell, pair, "barrier", "weights", matching)
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
    """Averages of the seeds of a block (`members_of`): as they are, each aligned to the first."""
    network, task = arms.network, arms.task
    models = [cell.models[i] for i in members_of(cell)]
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

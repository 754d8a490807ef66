"""The cells of a measuring job: read their models, measure load by load, write one file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from phasezoo import rng
from phasezoo.data.sample import Sample
from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.models.build import build
from phasezoo.models.flat import Weights
from phasezoo.paths import holds_cell
from phasezoo.provenance import code_digest
from phasezoo.spec.jobs import MeasureJob
from phasezoo.steps.log import say
from phasezoo.store import measurements, schema
from phasezoo.store.partial import Partial
from phasezoo.store.variables import Variable
from phasezoo.store.weights import Block
from phasezoo.vocabulary import PAIR, Number, Status, between, pairs_within

STEPS = {"evaluation": "evaluate"}  # families whose step has another name
Value = float | NDArray[np.float64]
Row = Mapping[str, Sequence[Value]]
Axes = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Cell:
    """The models of one cell at the epoch of the job: those of a block, or of two to compare.

    `stored` holds their segments, block by block, for those who need other epochs too.
    """

    job: MeasureJob
    load: Number
    temperature: Number
    stored: tuple[tuple[Block, ...], ...]

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds, block after block."""
        return seeds_of(self.job)

    @cached_property
    def models(self) -> list[Weights]:
        """The weights of every seed, NaN where there is none or it diverged."""
        return self.at(self.job.epoch)

    def at(self, epoch: int) -> list[Weights]:
        """The weights of every seed at another epoch."""
        found = (_with(segments, epoch) for segments in self.stored)
        return [block.weights(i, epoch) for block in found for i in range(block.seeds)]

    def has(self, epoch: int) -> bool:
        """Whether the job was given the weights of an epoch."""
        return all(any(epoch in block.epochs for block in segments) for segments in self.stored)

    @property
    def status(self) -> list[Status]:
        """What became of every seed."""
        found = (_with(segments, self.job.epoch) for segments in self.stored)
        return [block.status(i, self.job.epoch) for block in found for i in range(block.seeds)]

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Positions of the pairs of seeds to compare, in the order of the `pair` axis."""
        return [(self.seeds.index(a), self.seeds.index(b)) for a, b in pairs_of(self.job)]

    def names(self, seed: int) -> tuple[str, ...]:
        """Names of a model, for its generators."""
        return self.job.place(self.load).names(self.temperature, seed)

    def pair_names(self, pair: tuple[int, int]) -> tuple[str, ...]:
        """Names of a pair of positions, for its generators."""
        first, second = (self.seeds[i] for i in pair)
        return (*self.names(first), f"second={second}", f"epoch={self.job.epoch}")


def _with(segments: Sequence[Block], epoch: int) -> Block:
    return next(block for block in segments if epoch in block.epochs)


def seeds_of(job: MeasureJob) -> tuple[int, ...]:
    """The seeds that a job reads: those of its block, then those of its partners."""
    return job.seeds + job.partners


def pairs_of(job: MeasureJob) -> list[tuple[int, int]]:
    """The pairs that a job measures: within its block, or between it and its partners."""
    if job.partners:
        return between(job.seeds, job.partners)
    return pairs_within(job.seeds, job.pairs)


def network_at(job: MeasureJob, task: Task, load: Number) -> Network:
    """The network of one load, and what is asked of it there."""
    module = build(job.architecture_at(load), task.shape, task.classes)
    return Network(module, task.train_labels.device, task.at(job.load_name, load).objective)


def measure(
    job: MeasureJob,
    task: Task,
    weights: Sequence[Path],
    output: Path,
    measured: Callable[[Network, Task, Sequence[Cell]], Sequence[Row]],
    axes: Axes | None = None,
    samples: Sequence[Sample] = (),
) -> None:
    """Measure every cell of a share, load by load, and write all of them as one NetCDF file.

    If the job fails, what is finished of its loads is kept for the next time.

    Args:
        job: what to measure.
        task: what the models were trained on.
        weights: manifests of all cells, in stores of one or of several: block by block, for each
            of them segment by segment.
        output: the file.
        measured: from the network, the task and the cells of one load to the values of every
            variable of the family, for each cell one per replicate: a number, or an array over the
            axes that the variable has of its own.
        axes: the coordinates of those axes.
        samples: which samples it is measured on, where it is not on all of a set.
    """
    variables = _measured_variables(job, axes or {})
    code = code_digest(STEPS.get(job.options.family, job.options.family))
    kept = Partial(output, code + job.model_dump_json(), weights)
    there = {axis: values for axis, values in (axes or {}).items() if len(values)}
    parts = []
    for load in job.loads:
        rows = kept.read(load)
        if rows is None:
            cells = _cells(job, load, weights)
            at_load = measured(network_at(job, task, load), task.at(job.load_name, load), cells)
            rows = _arrays(variables, at_load)
            kept.write(load, rows)
        say(f"{job.options.family} {' '.join(_names(job, load))}")
        coordinates = measurements.grid(
            [load], job.temperatures, [job.seeds], [job.epoch], pairs_of(job), there
        )
        parts.append(measurements.filled(coordinates, variables, rows))
    data = measurements.sampled(measurements.beside(parts), samples)
    measurements.write(output, data, variables, "NETCDF3_64BIT")
    kept.remove()


def _names(job: MeasureJob, load: Number) -> tuple[str, ...]:
    return job.place(load).names(job.temperatures[0], job.seeds[0])[:2]


def _cells(job: MeasureJob, load: Number, weights: Sequence[Path]) -> list[Cell]:
    """The cells of one load."""
    return [
        Cell(job, load, temperature, _stored(job, weights, load, temperature))
        for temperature in job.temperatures
    ]


def _stored(
    job: MeasureJob, weights: Sequence[Path], load: Number, temperature: Number
) -> tuple[tuple[Block, ...], ...]:
    """The segments of one cell, block by block; manifests come block by block too."""
    blocks = 2 if job.partners else 1
    labels = job.place(load).labels(temperature)
    found = [Block.of_cell(path, *labels) for path in weights if holds_cell(path, *labels)]
    each = len(found) // blocks
    return tuple(tuple(found[i * each : (i + 1) * each]) for i in range(blocks))


def _arrays(
    variables: Mapping[str, Variable], rows: Sequence[Row]
) -> dict[str, NDArray[np.float64]]:
    """Arrays [temperature, replicate, ...] from one row per temperature."""
    return {
        name: np.array([list(row[name]) for row in rows], dtype=np.float64) for name in variables
    }


def _measured_variables(job: MeasureJob, axes: Axes) -> dict[str, Variable]:
    """What a job fills of its family: between two blocks the pairs, in a block of one all else.

    What lies along an axis without any values, such as layers that were not asked for, is left out.
    """
    empty = {axis for axis, values in axes.items() if not len(values)}
    family = schema.family_variables(job.options.family)
    declared = {name: v for name, v in family.items() if not empty & set(v.dims)}
    if job.partners:
        return {name: v for name, v in declared.items() if PAIR in v.dims}
    if len(job.seeds) == 1:
        return {name: v for name, v in declared.items() if PAIR not in v.dims}
    return declared


def columns(family: str, rows: Sequence[Mapping[str, Value]]) -> dict[str, list[Value]]:
    """From one mapping per replicate to one list per variable of a family."""
    return {name: [row[name] for row in rows] for name in schema.family_variables(family)}


def of_models(
    job: MeasureJob, cells: Sequence[Cell], rows: Sequence[Mapping[str, Value]]
) -> list[Row]:
    """One row per cell from one mapping per model, cell after cell; none of a diverged model.

    A flag of a model that has no finite weights is neither yes nor no.
    """
    family = job.options.family
    flags = {name for name, v in schema.family_variables(family).items() if v.flags}
    each = len(seeds_of(job))
    out: list[Row] = []
    for i, cell in enumerate(cells):
        of_cell = zip(cell.models, rows[i * each : (i + 1) * each], strict=True)
        told = [
            row if model.finite else {**row, **dict.fromkeys(flags, -1.0)} for model, row in of_cell
        ]
        out.append(columns(family, told))
    return out


def of_pairs(cells: Sequence[Cell], rows: Sequence[Mapping[str, Value]]) -> list[Row]:
    """One row per cell from one mapping per pair, cell after cell."""
    each = len(rows) // len(cells)
    family = cells[0].job.options.family
    return [columns(family, rows[i * each : (i + 1) * each]) for i in range(len(cells))]


def generators(cells: Sequence[Cell], purpose: str) -> list[torch.Generator]:
    """One generator per model, cell after cell."""
    return [
        rng.generator(*cell.names(seed), purpose, cell.job.epoch)
        for cell in cells
        for seed in cell.seeds
    ]

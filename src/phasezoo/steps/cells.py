"""The cells of a measuring job: read their models, measure each, write one file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from phasezoo.models.flat import Weights
from phasezoo.spec.jobs import MeasureJob
from phasezoo.steps.log import say
from phasezoo.store import measurements, schema
from phasezoo.store.manifest import store_of
from phasezoo.store.weights import Block
from phasezoo.vocabulary import Number, Status, seed_pairs

Row = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Cell:
    """The models of one cell's block at the epoch of the job.

    `blocks` holds the stored segments, for those who need other epochs too.
    """

    job: MeasureJob
    temperature: Number
    blocks: tuple[Block, ...]

    @cached_property
    def models(self) -> list[Weights]:
        """The weights of every seed, NaN where it diverged."""
        return self.at(self.job.epoch)

    def at(self, epoch: int) -> list[Weights]:
        """The weights of every seed at another epoch."""
        block = self._block(epoch)
        return [block.weights(i, epoch) for i in range(len(self.job.place.seeds))]

    @property
    def status(self) -> list[Status]:
        """What became of every seed."""
        block = self._block(self.job.epoch)
        return [block.status(i, self.job.epoch) for i in range(len(self.job.place.seeds))]

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Positions of all pairs of seeds, in the order of the `pair` axis."""
        seeds = self.job.place.seeds
        return [(seeds.index(a), seeds.index(b)) for a, b in seed_pairs(seeds)]

    def names(self, seed: int) -> tuple[str, ...]:
        """Names of a model, for its generators."""
        return self.job.place.names(self.temperature, seed)

    def pair_names(self, pair: tuple[int, int]) -> tuple[str, ...]:
        """Names of a pair of positions, for its generators."""
        first, second = (self.job.place.seeds[i] for i in pair)
        return (*self.names(first), f"second={second}", f"epoch={self.job.epoch}")

    def _block(self, epoch: int) -> Block:
        return next(block for block in self.blocks if epoch in block.epochs)


def measure(
    job: MeasureJob, weights: Sequence[Path], output: Path, measured: Callable[[Cell], Row]
) -> None:
    """Measure every cell of a share and write all of them as one NetCDF file.

    Args:
        job: what to measure.
        weights: manifests, for each segment those of the temperatures in the order of the job.
        output: the file.
        measured: from a cell to the values of every variable of the family, one per replicate.
    """
    variables = schema.family_variables(job.options.family)
    rows: dict[str, list[Sequence[float]]] = {name: [] for name in variables}
    count = len(job.temperatures)
    for position, temperature in enumerate(job.temperatures):
        blocks = tuple(Block(store_of(path)) for path in weights[position::count])
        cell = Cell(job, temperature, blocks)
        say(f"{job.options.family} {' '.join(cell.names(job.place.seeds[0])[:3])}")
        for name, values in measured(cell).items():
            rows[name].append(values)
    coordinates = measurements.grid(
        [job.place.load], job.temperatures, [job.place.seeds], [job.epoch]
    )
    arrays = {name: np.array(found, dtype=np.float64) for name, found in rows.items()}
    data = measurements.filled(coordinates, variables, arrays)
    measurements.write(output, data, variables)


def columns(family: str, rows: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    """From one mapping per replicate to one list per variable of a family."""
    return {name: [row[name] for row in rows] for name in schema.family_variables(family)}

"""What a zoo costs: jobs, files and bytes, counted from the spec before anything is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from phasezoo.plan import Plan
from phasezoo.spec.regions import Regions
from phasezoo.spec.zoo import Zoo
from phasezoo.vocabulary import Number

FLOAT = 4  # bytes of a stored number


@dataclass(frozen=True)
class Size:
    """Numbers of a model: those that are trained, and statistics and counters beside them."""

    parameters: int
    buffers: int


@dataclass(frozen=True)
class Cost:
    """What it takes to make one zoo, or one region study.

    Attributes:
        zoo: its name.
        models: of the declared grid.
        checkpoints: models times epochs that are kept.
        jobs: that Snakemake counts for the published zoo where nothing is made yet.
        files: of weights, measurements and results, with manifests and checksums. Data sets and
            logs are left out, and the published store, which links the files of the weights.
        bytes: of the weights without compression: parameters, buffers and, once per segment, the
            state of the optimiser. Weights of 32 bits hardly shrink, and next to them the rest is
            small. None, like `files`, where the size of the models is unknown.
    """

    zoo: str
    models: int
    checkpoints: int
    jobs: int
    files: int | None
    bytes: int | None


def cost_of(plan: Plan, name: str, sizes: Mapping[Number, Size] | None) -> Cost:
    """Count one zoo.

    Args:
        plan: of its study.
        name: of the zoo.
        sizes: of a model at every load, where it is known.
    """
    zoo = plan.zoos[name]
    return Cost(
        zoo=name,
        models=zoo.models,
        checkpoints=zoo.models * len(zoo.training.saved_epochs),
        jobs=_jobs(plan, name),
        files=None if sizes is None else _files(plan, name, sizes),
        bytes=None if sizes is None else _bytes(zoo, sizes),
    )


def _jobs(plan: Plan, name: str) -> int:
    """Data, training, measuring, one job for each published group, and publishing."""
    zoo = plan.zoos[name]
    data, groups = set(plan.data_of_zoo(zoo)), plan.published_groups(zoo)
    trained = [path for path in plan.weights_of(name) if path.startswith("runs/")]
    return len(data) + len(trained) + len(plan.measured_of(name)) + len(groups) + 1


def _files(plan: Plan, name: str, sizes: Mapping[Number, Size]) -> int:
    """Each file of measurements or results has a checksum; what was found of labels has its own."""
    zoo = plan.zoos[name]
    temperatures = len(zoo.temperature.all_values)
    blocks = sum(
        temperatures * _files_of_block(zoo, block, segment, sizes[load])
        for load in zoo.load.all_values
        for block in zoo.seeds
        for segment in zoo.training.checkpoints
    )
    results = len(plan.measured_of(name)) + len(plan.published_groups(zoo))
    return blocks + sum(map(_files_around, plan.weights_of(name))) + 2 * results + 1


def _files_around(manifest: str) -> int:
    """The manifest, its provenance; of several cells also the groups that they lie in."""
    loads, temperatures = (label.split("+") for label in manifest.split("/")[2:4])
    return 2 + (1 + len(loads) if len(loads) * len(temperatures) > 1 else 0)


def _files_of_block(zoo: Zoo, block: tuple[int, ...], segment: tuple[int, ...], size: Size) -> int:
    """The group of a cell, arrays with a shard per epoch, state per seed."""
    optimiser, arrays = zoo.training.optimiser, (1 + bool(size.buffers)) * (1 + len(segment))
    return 1 + arrays + _resumable(zoo, block) * optimiser.arrays * (1 + len(block))


def _bytes(zoo: Zoo, sizes: Mapping[Number, Size]) -> int:
    temperatures = len(zoo.temperature.all_values)
    epochs, segments = len(zoo.training.saved_epochs), len(zoo.training.checkpoints)
    numbers = sum(
        epochs * (size.parameters + size.buffers)
        + segments * _resumable(zoo, block) * zoo.training.optimiser.moments * size.parameters
        for size in (sizes[load] for load in zoo.load.all_values)
        for block in zoo.seeds
        for _ in block
    )
    return FLOAT * temperatures * numbers


def _resumable(zoo: Zoo, block: tuple[int, ...]) -> bool:
    """Whether there is a state to go on from; models trained elsewhere have none."""
    return block not in zoo.imported


def together(plan: Plan, costs: list[Cost]) -> Cost:
    """All zoos in one run, where a data set is made once; unknown if one of them is."""
    names = [name for cost in costs for name in set(plan.data_of_zoo(plan.zoos[cost.zoo]))]
    twice = len(names) - len(set(names))
    files, size = ([getattr(c, key) for c in costs] for key in ("files", "bytes"))
    return Cost(
        zoo="all",
        models=sum(cost.models for cost in costs),
        checkpoints=sum(cost.checkpoints for cost in costs),
        jobs=sum(cost.jobs for cost in costs) - twice,
        files=None if None in files else sum(files),
        bytes=None if None in size else sum(size),
    )


def cost_of_regions(plan: Plan, name: str, sizes: Mapping[str, Size] | None) -> Cost:
    """Count one region study: what it adds to the zoos that it starts from.

    Args:
        plan: of its study.
        name: of the region study.
        sizes: of a model tuned to each of its data sets, where they are known.
    """
    regions = plan.study.regions[name]
    models = len(regions.starts) * len(regions.datasets) * len(regions.all_seeds)
    tuned, measured = plan.tuned_of(name), plan.measured_of_regions(name)
    known = None if sizes is None else [sizes[path.split("/")[4]] for path in tuned]
    results = 2 * (len(measured) + 1)  # each with its checksum
    return Cost(
        zoo=name,
        models=models,
        checkpoints=models,
        jobs=len(regions.datasets) + len(tuned) + len(measured) + 1,
        files=None if known is None else results + sum(map(_files_of_tuned, known)),
        bytes=None if sizes is None else _bytes_of_tuned(regions, sizes),
    )


def _files_of_tuned(size: Size) -> int:
    """A group of three labels and, for parameters and buffers, the array and its table of three.

    Each array has metadata and a chunk; beside the store lie manifest and provenance.
    """
    arrays = 3 + 4 * (1 + bool(size.buffers))
    return 1 + 2 * arrays + 2


def _bytes_of_tuned(regions: Regions, sizes: Mapping[str, Size]) -> int:
    numbers = sum(sizes[name].parameters + sizes[name].buffers for name in regions.datasets)
    return FLOAT * len(regions.starts) * len(regions.all_seeds) * numbers

"""The commands that the rules of region studies call."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phasezoo import paths
from phasezoo.cli.importing import importing
from phasezoo.spec import region_jobs

region_steps = typer.Typer()

Job = Annotated[str, typer.Option("--job", help="What to do, as JSON.")]
Origin = Annotated[Path, typer.Option(help="Manifest of the data set of the start.")]
Start = Annotated[Path, typer.Option(help="Manifest of the weights of the start.")]
Data = Annotated[Path, typer.Option(help="Manifest of the data set that is the target.")]
Output = Annotated[Path, typer.Option("--output", help="What to write.")]
Gpus = Annotated[int, typer.Option("--gpus", help="GPUs this job was given.")]
Weights = Annotated[list[Path], typer.Argument(help="Manifests of the tuned weights.")]


@region_steps.command(name="tune_regions")
def tune_regions(
    job: Job, origin: Origin, start: Start, data: Data, output: Output, gpus: Gpus = 0
) -> None:
    """Tune a start to a data set, with a block of seeds."""
    with importing():
        from phasezoo.steps.tune_regions import tune_regions as step

    step(region_jobs.TuneJob.model_validate_json(job), origin, start, data, output, gpus)


@region_steps.command(name="measure_regions")
def measure_regions(
    job: Job,
    origin: Origin,
    start: Start,
    data: Data,
    output: Output,
    weights: Weights,
    gpus: Gpus = 0,
) -> None:
    """Measure what tuned models are worth on a data set."""
    with importing():
        from phasezoo.steps.measure_regions import measure_regions as step

    told = region_jobs.MeasureRegionsJob.model_validate_json(job)
    step(told, origin, start, data, weights, output, gpus)


@region_steps.command(name="collect_regions")
def collect_regions(job: Job, output: Output) -> None:
    """Join what was measured of a region study, and compare."""
    with importing():
        from phasezoo.steps.collect_regions import collect_regions as step

    root = paths.root_of(output, paths.REGIONS)
    step(region_jobs.JoinRegionsJob.model_validate_json(job), root, output)

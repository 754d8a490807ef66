"""The commands that rules call: one per step, each read from JSON and paths."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from phasezoo import paths
from phasezoo.cli.importing import importing
from phasezoo.cli.region_steps import region_steps
from phasezoo.spec import jobs
from phasezoo.spec.training_jobs import training_job
from phasezoo.steps.log import start_log

steps = typer.Typer(no_args_is_help=True, callback=start_log)
steps.add_typer(region_steps)

Job = Annotated[str, typer.Option("--job", help="What to do, as JSON.")]
Output = Annotated[Path, typer.Option("--output", help="What to write.")]
Data = Annotated[Path, typer.Option("--data", help="Manifest of the data set.")]
Gpus = Annotated[int, typer.Option("--gpus", help="GPUs this job was given.")]
Weights = Annotated[list[Path], typer.Argument(help="Manifests of the weights.")]


@steps.command()
def data(job: Job, output: Output) -> None:
    """Make a labelled data set."""
    with importing():
        from phasezoo.steps.data import data as step

    step(jobs.DataJob.model_validate_json(job), output)


@steps.command()
def train(
    job: Job,
    data: Data,
    output: Output,
    gpus: Gpus = 0,
    before: Annotated[list[Path] | None, typer.Argument(help="The segment before.")] = None,
) -> None:
    """Train a block of seeds, of a cell or of a share of cells."""
    with importing():
        from phasezoo.steps.train import train as step

    step(training_job(job), data, before or [], output, gpus)


def _measuring(name: str, text: str) -> None:
    """Register the command of a step that measures cells of one data set."""

    def command(job: Job, data: Data, output: Output, weights: Weights, gpus: Gpus = 0) -> None:
        with importing():
            step = getattr(import_module(f"phasezoo.steps.{name}"), name)
        step(jobs.MeasureJob.model_validate_json(job), data, weights, output, gpus)

    steps.command(name, help=text)(command)


_measuring("evaluate", "Measure clean loss and error.")
_measuring("hessian", "Measure curvature.")
_measuring("connectivity", "Measure curves and lines between seeds.")
_measuring("similarity", "Measure how alike seeds are.")
_measuring("spectra", "Measure weight matrices.")
_measuring("noise", "Measure the noise of gradients.")
_measuring("learning_coefficient", "Measure local learning coefficients.")
_measuring("statistics", "Measure statistics of weights.")
_measuring("pruning", "Remove the smallest weights.")
_measuring("ensembling", "Measure ensembles of seeds.")


def _measuring_second(name: str, text: str) -> None:
    """Register the command of a step that trains models on a second data set."""

    def command(
        job: Job,
        data: Data,
        second: Annotated[Path, typer.Option(help="Manifest of the second data set.")],
        output: Output,
        weights: Weights,
        gpus: Gpus = 0,
    ) -> None:
        with importing():
            step = getattr(import_module(f"phasezoo.steps.{name}"), name)
        step(jobs.MeasureJob.model_validate_json(job), data, second, weights, output, gpus)

    steps.command(name, help=text)(command)


_measuring_second("transfer", "Fine-tune on a second task.")
_measuring_second("new_task", "Fine-tune and probe on a task of other classes.")


@steps.command()
def merging(
    job: Job,
    data: Data,
    output: Output,
    weights: Weights,
    gpus: Gpus = 0,
    seconds: Annotated[
        Path | None, typer.Option(help="Table to write of what alignments took.")
    ] = None,
) -> None:
    """Merge seeds and checkpoints."""
    with importing():
        from phasezoo.steps.merging import merging as step

    step(jobs.MeasureJob.model_validate_json(job), data, weights, output, gpus, seconds)


@steps.command()
def robustness(
    job: Job,
    data: Data,
    others: Annotated[str, typer.Option(help="Manifests of other data sets, with spaces between.")],
    output: Output,
    weights: Weights,
    gpus: Gpus = 0,
) -> None:
    """Measure errors on disturbed images."""
    with importing():
        from phasezoo.steps.robustness import robustness as step

    more = [Path(path) for path in others.split()]
    step(jobs.MeasureJob.model_validate_json(job), data, more, weights, output, gpus)


@steps.command()
def collect(job: Job, output: Output) -> None:
    """Join measurements on the full grid."""
    with importing():
        from phasezoo.steps.collect import collect as step

    root = paths.root_of(output, paths.RESULT)
    step(jobs.CollectJob.model_validate_json(job), root, output)


@steps.command()
def phases(
    job: Job,
    metrics: Annotated[Path, typer.Option(help="Joined metrics.")],
    output: Output,
    coverage: Annotated[Path, typer.Option(help="Coverage report to write.")],
) -> None:
    """Label cells."""
    with importing():
        from phasezoo.steps.phases import phases as step

    step(jobs.PhasesJob.model_validate_json(job), metrics, output, coverage)


@steps.command()
def learning(
    job: Job,
    metrics: Annotated[Path, typer.Option(help="Joined metrics.")],
    phases: Annotated[Path, typer.Option(help="Labels of the cells.")],
    output: Output,
) -> None:
    """Learn errors and phases from weights."""
    from phasezoo.steps.learning import learning as step

    step(jobs.LearningJob.model_validate_json(job), metrics, phases, output)


@steps.command()
def explained(
    job: Job,
    output: Output,
    results: Annotated[list[Path], typer.Argument(help="Joined results, the labels last.")],
) -> None:
    """Tell what phases explain beyond load and temperature."""
    from phasezoo.steps.explained import explained as step

    step(jobs.ExplainedJob.model_validate_json(job), results, output)


@steps.command()
def publish(job: Job, data: Data, output: Output) -> None:
    """Publish a zoo."""
    with importing():
        from phasezoo.steps.publish import publish as step

    root = paths.root_of(output, paths.ZOO_MANIFEST)
    step(jobs.PublishJob.model_validate_json(job), data, root, output)


@steps.command()
def report(
    job: Job,
    output: Output,
    pictures: Annotated[list[Path] | None, typer.Argument(help="Phase maps to write.")] = None,
) -> None:
    """Write the report."""
    with importing():
        from phasezoo.steps.report import report as step

    root = paths.root_of(output, paths.REPORT)
    step(jobs.ReportJob.model_validate_json(job), root, output, pictures or [])

"""What tuned models, and networks between and around them, are worth on a target."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from phasezoo.spec.region_jobs import MeasureRegionsJob
from phasezoo.steps import region_measures as measures
from phasezoo.steps.device import prepare
from phasezoo.steps.log import say
from phasezoo.steps.region_start import read_all_tuned, start_of
from phasezoo.store import measurements
from phasezoo.store.dataset import read_task
from phasezoo.store.variables.regions import ON_TARGET
from phasezoo.transfer.regions.models import Models
from phasezoo.transfer.regions.task_vectors import bodies_of


def measure_regions(
    job: MeasureRegionsJob,
    origin: Path,
    start: Path,
    data: Path,
    weights: Sequence[Path],
    output: Path,
    gpus: int,
) -> None:
    """Measure everything that has one data set as its target, and write one file.

    Args:
        job: what to measure.
        origin: manifest of the data set of the start.
        start: manifest of the weights of the start.
        data: manifest of the target.
        weights: manifests of all models that were tuned from the start.
        output: the file.
        gpus: that the job was given.
    """
    device = prepare(gpus)
    begin = start_of(job.start, job.architecture, start, origin)
    tuned = read_all_tuned(weights)
    bodies = bodies_of(begin, [m.weights for m in tuned], [m.shape.classes for m in tuned])
    models = Models(begin, bodies, [m.dataset for m in tuned], job.family_of)
    target = measures.Target(job, read_task(data, device), models, device)
    groups = measures.all_groups(target)
    out = measures.empty(job, max(map(len, groups.values())))
    measures.measure_own(out, target, tuned)
    say(f"{job.target}: groups")
    measures.measure_groups(out, target, groups)
    say(f"{job.target}: lines")
    measures.measure_lines(out, target)
    say(f"{job.target}: tuning of few parameters")
    measures.measure_efficient(out, target)
    measurements.write(output, out, {v.name: v for v in ON_TARGET})

"""Tuning of one start to one data set, with a block of seeds."""

from __future__ import annotations

from pathlib import Path

from phasezoo.provenance import code_digest
from phasezoo.spec.region_jobs import TuneJob
from phasezoo.steps.device import name_of, prepare
from phasezoo.steps.log import say
from phasezoo.steps.region_start import start_of
from phasezoo.store.dataset import read_task
from phasezoo.store.manifest import writing
from phasezoo.store.publish import Shape
from phasezoo.store.tuned import write_tuned
from phasezoo.transfer.regions.tuning import Run, fine_tuned


def tune_regions(
    job: TuneJob, origin: Path, start: Path, data: Path, output: Path, gpus: int
) -> None:
    """Tune every seed of a block and write the models beside `output`.

    Args:
        job: what to tune.
        origin: manifest of the data set of the start.
        start: manifest of the weights of the start.
        data: manifest of the data set to tune to.
        output: manifest of the tuned models.
        gpus: that the job was given.
    """
    device = prepare(gpus)
    task = read_task(data, device)
    begin = start_of(job.start, job.architecture, start, origin)
    code, spec = code_digest("tune_regions"), job.model_dump(mode="json")
    with writing(output, spec, code=code, device=name_of(device)) as directory:
        runs = [Run(task, job.names(seed)) for seed in job.seeds]
        how = job.tuning
        found = fine_tuned(begin, runs, how.epochs, how.optimisation, device=device)
        for seed, model in zip(job.seeds, found, strict=True):
            say(f"{' '.join(job.names(seed))} test error {model.test.error:.4f}")
        models = [(model.weights, model.status) for model in found]
        write_tuned(directory, job, models, Shape(task.shape, task.classes))

"""What the weights of a zoo tell of its errors and phases."""

from __future__ import annotations

from pathlib import Path

from phasezoo.learning.baseline import baseline
from phasezoo.spec.jobs import LearningJob
from phasezoo.steps.log import say
from phasezoo.store import measurements, schema
from phasezoo.store.variables.learning import HOW, LEARNING, SCORES
from phasezoo.vocabulary import LOAD, TEMPERATURE


def learning(job: LearningJob, metrics: Path, phases: Path, output: Path) -> None:
    """Predict test error, generalisation gap and phase of models that were not learned from."""
    data, labels = measurements.read(metrics), measurements.read(phases)
    found = baseline(job.zoo, data, labels, job.options)
    names = (data[axis].attrs["hyperparameter"] for axis in (LOAD, TEMPERATURE))
    described = schema.described(found, *names)
    measurements.write(output, described, {v.name: v for v in LEARNING})
    scores = found[[v.name for v in SCORES if not v.name.endswith(("_low", "_high"))]]
    say(f"learning\n{scores.stack(how=HOW).to_dataframe().round(3).to_string()}")

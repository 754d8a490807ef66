"""Phase labels of a zoo, and which phases it covers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from phasezoo.phases.classify import DECIDING, classify_phases
from phasezoo.phases.coverage import coverage, text_map
from phasezoo.spec.jobs import PhasesJob
from phasezoo.steps.log import say
from phasezoo.store import measurements, schema
from phasezoo.store.whole import write_json
from phasezoo.vocabulary import EPOCH, LOAD, TEMPERATURE


def phases(job: PhasesJob, metrics: Path, output: Path, report: Path) -> None:
    """Label every cell at every epoch at which all deciding metrics were measured."""
    data = measurements.read(metrics)
    measured = np.all(
        [data[n].notnull().any(set(data[n].dims) - {EPOCH}) for n in DECIDING], axis=0
    )
    if not measured.any():  # no pairs, or all models diverged: the cells are there, and missing
        measured[-1:] = True
    labels = classify_phases(data.isel({EPOCH: measured}), job.criteria)
    keep = labels.drop_vars([c for c in labels.coords if c not in (LOAD, TEMPERATURE, EPOCH)])
    described = schema.described(
        keep, data[LOAD].attrs["hyperparameter"], data[TEMPERATURE].attrs["hyperparameter"]
    )
    measurements.write(output, described, schema.family_variables("phases"))
    report_of = {}
    for epoch in described[EPOCH].values:
        of_epoch = described["phase"].sel({EPOCH: epoch})
        report_of[str(epoch)] = coverage(of_epoch)
        say(f"phases at epoch {epoch}\n{text_map(of_epoch)}")
    write_json(report, {"criteria": job.criteria.model_dump(), "epochs": report_of})

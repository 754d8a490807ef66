"""Phase labels of a zoo, and which phases it covers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from phasezoo.phases.border import sensitivity
from phasezoo.phases.classify import classify_phases
from phasezoo.phases.coverage import coverage, text_map
from phasezoo.phases.scheme import SCHEMES
from phasezoo.spec.jobs import PhasesJob
from phasezoo.steps.log import say
from phasezoo.store import measurements, schema
from phasezoo.store.variables.phases import DECIDED, LABELS
from phasezoo.store.whole import write_json
from phasezoo.vocabulary import EPOCH, LOAD, TEMPERATURE

FACTORS = (0.5, 0.8, 1.25, 2.0)  # by which thresholds are moved in the table of sensitivity


def phases(job: PhasesJob, metrics: Path, output: Path, report: Path) -> None:
    """Label every cell at every epoch at which all deciding metrics were measured."""
    data = measurements.read(metrics)
    scheme = SCHEMES[job.criteria.scheme]
    deciding = scheme.metrics
    measured = np.all(
        [data[n].notnull().any(set(data[n].dims) - {EPOCH}) for n in deciding], axis=0
    )
    if not measured.any():  # no pairs, or all models diverged: the cells are there, and missing
        measured[-1:] = True
    labels = classify_phases(data.isel({EPOCH: measured}), job.criteria)
    keep = labels.drop_vars([c for c in labels.coords if c not in (LOAD, TEMPERATURE, EPOCH)])
    names = (data[axis].attrs["hyperparameter"] for axis in (LOAD, TEMPERATURE))
    described = schema.described(keep, *names)
    allowed = {v.name: v for v in (*LABELS, *(DECIDED[name] for name in deciding))}
    measurements.write(output, described, allowed, "NETCDF3_64BIT")
    report_of: dict[str, object] = {}
    for epoch in described[EPOCH].values:
        of_epoch = described.sel({EPOCH: epoch}).assign_attrs(labels.attrs)
        found = {"sensitivity": sensitivity(of_epoch, FACTORS)}
        report_of[str(epoch)] = coverage(of_epoch, job.criteria) | found
        say(f"phases at epoch {epoch}\n{text_map(of_epoch)}")
    told = {"criteria": job.criteria.model_dump(), **_told(labels.attrs)}
    write_json(report, {**told, "epochs": report_of})


def _told(attributes: Mapping[str, str]) -> dict[str, object]:
    """What the labelling says of itself."""
    notes = attributes["notes"]
    return {
        "thresholds": json.loads(attributes["thresholds"]),
        "notes": notes.split("\n") if notes else [],
    }

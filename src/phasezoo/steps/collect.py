"""Joining the measurements of a zoo on its full declared grid."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from phasezoo.spec.jobs import CollectJob
from phasezoo.store import measurements, schema
from phasezoo.store.variables import VARIABLES


def collect(job: CollectJob, parts: Sequence[Path], output: Path) -> None:
    """Join measurements by their labels; cells that were not measured stay missing."""
    found = [measurements.read(part) for part in parts]
    epochs = sorted({int(epoch) for part in found for epoch in part["epoch"].values})
    target = measurements.grid(job.loads, job.temperatures, job.seeds, epochs)
    data = measurements.joined(target, found)
    allowed = {n: v for n, v in VARIABLES.items() if v.group == job.group}
    used = {dim for variable in allowed.values() for dim in variable.dims}
    data = data.drop_dims([dim for dim in data.dims if dim not in used])
    described = schema.described(data, job.load_name, job.temperature_name)
    measurements.write(output, described, allowed)

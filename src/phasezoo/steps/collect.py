"""Joining the measurements of a zoo on its full declared grid."""

from __future__ import annotations

from pathlib import Path

from phasezoo.spec.jobs import CollectJob
from phasezoo.store import measurements, schema
from phasezoo.store.variables import AXES, VARIABLES
from phasezoo.vocabulary import compared


def collect(job: CollectJob, root: Path, output: Path) -> None:
    """Join measurements by their labels; cells that were not measured stay missing.

    Args:
        job: which measurements, and the grid.
        root: of the study, where they lie.
        output: the file.
    """
    found = [measurements.read(root / part) for part in job.parts()]
    epochs = sorted({int(epoch) for part in found for epoch in part["epoch"].values})
    pairs = compared(job.seeds, job.pairs)
    target = measurements.grid(job.loads, job.temperatures, job.seeds, epochs, pairs)
    data = measurements.joined(target, found)
    declared = {n: v for n, v in VARIABLES.items() if v.family in job.families}
    allowed = {n: v for n, v in declared.items() if n in data or not set(v.dims) & set(AXES)}
    used = {dim for variable in allowed.values() for dim in variable.dims}
    data = data.drop_dims([dim for dim in data.dims if dim not in used])
    described = schema.described(data, job.load_name, job.temperature_name)
    measurements.write(output, described, allowed, "NETCDF3_64BIT")

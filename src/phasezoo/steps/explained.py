"""What the phases of a zoo explain of its results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from phasezoo.phases.beyond import beyond
from phasezoo.spec.jobs import ExplainedJob
from phasezoo.steps.log import say
from phasezoo.store import measurements, schema
from phasezoo.store.variables.explained import EXPLAINED
from phasezoo.vocabulary import LOAD, TEMPERATURE


def explained(job: ExplainedJob, results: Sequence[Path], output: Path) -> None:
    """Share of the variance between cells that phases explain, of every quantity there is.

    Args:
        job: which groups, and the criteria of the labels.
        results: of the groups in their order, then the labels.
        output: the file.
    """
    *groups, labels = (measurements.read(path) for path in results)
    found = beyond(dict(zip(job.groups, groups, strict=True)), labels["phase"], job.criteria)
    names = (labels[axis].attrs["hyperparameter"] for axis in (LOAD, TEMPERATURE))
    described = schema.described(found, *names)
    measurements.write(output, described, {v.name: v for v in EXPLAINED}, "NETCDF3_64BIT")
    shown = found[["cross_fitted", "phase_r2", "position_r2", "phase_beyond", "phase_chance"]]
    say(f"explained\n{shown.to_dataframe().round(3).to_string()}")

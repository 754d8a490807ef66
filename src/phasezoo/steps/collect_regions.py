"""Joining what was measured of a region study, and comparing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from phasezoo.spec.region_jobs import JoinRegionsJob, StartPlace
from phasezoo.steps.region_clusters import of_clusters, of_vectors, vectors_of
from phasezoo.steps.region_comparisons import BASELINE, of_gains, of_probabilities
from phasezoo.steps.region_start import read_all_tuned, start_of
from phasezoo.store import measurements, schema
from phasezoo.store.variables.regions import OF_PAIR_OF_TUNED, OF_TUNED, ON_TARGET, REGIONS


def collect_regions(job: JoinRegionsJob, root: Path, output: Path) -> None:
    """Join the measurements of all targets; find clusters, compare groups and starting points.

    Args:
        job: which measurements, and of which models.
        root: of the study, where they lie.
        output: the file.
    """
    on_targets = [measurements.read(root / path) for path in job.measured()]
    measured = xr.concat(
        on_targets,
        "dataset",
        data_vars="all",
        coords="minimal",
        compat="override",
        join="outer",
        fill_value={v.name: schema.missing_value(v) for v in ON_TARGET},
    )
    starts = [
        start_of(place, job.architecture, root / weights, root / origin)
        for place, (weights, origin) in zip(_places(job), job.origins.values(), strict=True)
    ]
    tuned = [read_all_tuned(root / path for path in job.manifests(name)) for name in job.starts]
    vectors = vectors_of(starts, tuned)
    coordinates = _coordinates(job)
    found = xr.merge(
        [
            of_vectors(coordinates, vectors).assign_coords(coordinates.coords),
            measured,
            of_clusters(job, vectors),
            of_probabilities(job, measured),
            of_gains(job, measured),
        ],
        join="outer",
        compat="no_conflicts",
        combine_attrs="drop",
    )
    place = job.start.place
    described = schema.described(found, place.load_name, place.temperature_name)
    described.attrs = _attributes(job)
    measurements.write(output, described, {v.name: v for v in REGIONS})


def _places(job: JoinRegionsJob) -> list[StartPlace]:
    return [job.start, *([job.other_start] if job.other_start else [])]


def _coordinates(job: JoinRegionsJob) -> xr.Dataset:
    """The axes of tuned models and of pairs of them, with the families of data sets."""
    labels = {
        "start": np.array(job.starts, dtype=object),
        "dataset": np.array(job.datasets, dtype=object),
        "seed": np.array(job.all_seeds, dtype=np.int32),
    }
    second = dict(zip(OF_PAIR_OF_TUNED[3:], (labels[dim] for dim in OF_TUNED), strict=True))
    groups = {"family": job.family_of, "domain": job.domain_of}
    return xr.Dataset(
        coords={
            **labels,
            **second,
            **{
                name: ("dataset", np.array([of[d] for d in job.datasets], dtype=object))
                for name, of in groups.items()
                if of
            },
        }
    )


def _attributes(job: JoinRegionsJob) -> dict[str, str]:
    place = job.start
    return {
        "Conventions": "CF-1.11",
        "title": job.title,
        "name": job.regions,
        "references": "; ".join(job.references),
        "license": job.licence,
        "architecture": job.tuned.name,
        "started_from": " ".join(
            (*place.place.names(place.temperature, place.seed), f"epoch={place.epoch}")
        ),
        "first_block": "+".join(map(str, job.seeds[0])),
        "baseline": BASELINE,
        "spec": job.model_dump_json(),
    }

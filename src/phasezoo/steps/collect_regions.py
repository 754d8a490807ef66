"""Joining what was measured of a region study, and comparing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr

from phasezoo.spec.region_jobs import JoinRegionsJob, StartPlace
from phasezoo.steps.region_clusters import Vectors, of_clusters, of_vectors, vectors_of
from phasezoo.steps.region_comparisons import BASELINE, of_gains
from phasezoo.steps.region_probabilities import of_probabilities
from phasezoo.steps.region_start import read_all_tuned, start_of
from phasezoo.store import measurements, schema
from phasezoo.store.variables.regions import (
    OF_PAIR_OF_TUNED,
    OF_TUNED,
    ON_TARGET,
    REGIONS,
    UNTAUGHT,
)


def collect_regions(job: JoinRegionsJob, root: Path, output: Path) -> None:
    """Join the measurements of all targets; find clusters, compare groups and starting points.

    Args:
        job: which measurements, and of which models.
        root: of the study, where they lie.
        output: the file.
    """
    starts = [
        start_of(place, job.architecture, root / weights, root / origin)
        for place, (weights, origin) in zip(_places(job), job.origins.values(), strict=True)
    ]
    tuned = [read_all_tuned(root / path for path in job.manifests(name)) for name in job.starts]
    classes = {model.dataset: model.shape.classes for model in tuned[0]}
    found = joined(job, root, vectors_of(starts, tuned), classes)
    measurements.write(output, found, {v.name: v for v in REGIONS})


def joined(
    job: JoinRegionsJob, root: Path, vectors: Vectors, classes: Mapping[str, int]
) -> xr.Dataset:
    """The variables of `REGIONS`.

    Args:
        job: which measurements, and of which models.
        root: of the study, where the measurements lie.
        vectors: what is known of the tuned models from their weights.
        classes: of each data set.
    """
    measured = _measured(job, root)
    coordinates = _coordinates(job)
    found = xr.merge(
        [
            of_vectors(coordinates, vectors).assign_coords(coordinates.coords),
            of_classes(job, classes),
            measured,
            of_clusters(job, vectors),
            of_probabilities(job, measured, _finite(job, vectors)),
            of_gains(job, measured),
        ],
        join="outer",
        compat="no_conflicts",
        combine_attrs="drop",
    )
    place = job.start.place
    described = schema.described(found, place.load_name, place.temperature_name)
    described.attrs = _attributes(job)
    return described


def of_classes(job: JoinRegionsJob, classes: Mapping[str, int]) -> xr.Dataset:
    """The variable of `UNTAUGHT`: log K of every data set, in nats."""
    logarithms = np.log([classes[name] for name in job.datasets]).astype(np.float32)
    (variable,) = UNTAUGHT
    names = {"dataset": np.array(job.datasets, dtype=object)}
    return xr.Dataset({variable.name: (variable.dims, logarithms)}, coords=names)


def _measured(job: JoinRegionsJob, root: Path) -> xr.Dataset:
    """What was measured on all targets."""
    return xr.concat(
        [measurements.read(root / path) for path in job.measured()],
        "dataset",
        data_vars="all",
        coords="minimal",
        compat="override",
        join="outer",
        fill_value={v.name: schema.missing_value(v) for v in ON_TARGET},
    )


def _finite(job: JoinRegionsJob, vectors: Vectors) -> list[str]:
    """Data sets of the models of the first start that are finite, in their order."""
    of_model = [dataset for dataset in job.datasets for _ in job.all_seeds]
    known = np.isfinite(vectors.lengths[: len(of_model)])
    return [dataset for dataset, finite in zip(of_model, known, strict=True) if finite]


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

"""Similarities of task vectors, and how well clusters of them tell what models were tuned to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray

from phasezoo.spec.region_jobs import JoinRegionsJob
from phasezoo.spec.regions import Doubt
from phasezoo.steps.region_estimates import empty, put
from phasezoo.store.tuned import Tuned
from phasezoo.store.variables.regions import (
    CLUSTERS,
    OF_CLUSTERING,
    OF_PAIR_OF_TUNED,
    OF_TUNED,
)
from phasezoo.transfer.regions.cluster_scores import f1, judged
from phasezoo.transfer.regions.clusters import NONE, WAYS, clusters
from phasezoo.transfer.regions.start import Start
from phasezoo.transfer.regions.task_vectors import cosines, lengths, task_vectors

Labels = Mapping[str, Sequence[str]]
Floats = NDArray[np.float64]
BY_START = "start"


@dataclass(frozen=True)
class Vectors:
    """Task vectors of all models, start by start, data set by data set, seed by seed.

    Attributes:
        cosines: of all pairs, [M, M].
        lengths: [M].
        status: what became of each, [M].
    """

    cosines: Floats
    lengths: Floats
    status: NDArray[np.int8]


def vectors_of(starts: Sequence[Start], models: Sequence[Sequence[Tuned]]) -> Vectors:
    """The task vectors of the models of each start, each against its own."""
    found = torch.cat(
        [
            task_vectors(start, [m.weights for m in of], [m.shape.classes for m in of])
            for start, of in zip(starts, models, strict=True)
        ]
    )
    status = np.array([m.status for of in models for m in of], dtype=np.int8)
    return Vectors(cosines(found).numpy(), lengths(found).numpy(), status)


def of_vectors(coordinates: xr.Dataset, vectors: Vectors) -> xr.Dataset:
    """The variables of `TUNED` on their axes."""
    shape = tuple(coordinates.sizes[dim] for dim in OF_TUNED)
    return xr.Dataset(
        {
            "tuned_status": (OF_TUNED, vectors.status.reshape(shape)),
            "task_vector_norm": (OF_TUNED, vectors.lengths.reshape(shape).astype(np.float32)),
            "task_vector_cosine": (
                OF_PAIR_OF_TUNED,
                vectors.cosines.reshape(shape + shape).astype(np.float32),
            ),
        }
    )


def of_clusters(job: JoinRegionsJob, vectors: Vectors) -> xr.Dataset:
    """The variables of `CLUSTERS`: every way of clustering, against every kind of labels.

    Data sets, families and domains are told among the models of the first start; where there is
    another, starts are told among the models of both.
    """
    first = len(job.datasets) * len(job.all_seeds)
    asked = {name: (first, labels) for name, labels in _labels(job).items()}
    if len(job.starts) > 1:
        asked[BY_START] = (
            len(vectors.lengths),
            [start for start in job.starts for _ in range(first)],
        )
    names = list(dict.fromkeys(label for _, labels in asked.values() for label in labels))
    axes: dict[str, list[str]] = {"grouping": list(asked), "clustering": list(WAYS), "label": names}
    out = _empty(axes)
    for grouping, (count, labels) in asked.items():
        part = Vectors(vectors.cosines[:count, :count], vectors.lengths[:count], vectors.status)
        _fill(out, grouping, part, labels, _strata(job), job.doubt)
    return out


def _labels(job: JoinRegionsJob) -> Labels:
    """What each model of the first start was tuned to, by dataset, family and domain."""
    of_model = [dataset for dataset in job.datasets for _ in job.all_seeds]
    found = {
        "dataset": of_model,
        "family": [job.family_of[dataset] for dataset in of_model],
        "domain": [job.domain_of[dataset] for dataset in of_model if job.domains],
    }
    return {name: labels for name, labels in found.items() if labels}


def _strata(job: JoinRegionsJob) -> list[str]:
    """Start and data set of each model: seeds are drawn within them."""
    return [
        f"{start} {dataset}"
        for start in job.starts
        for dataset in job.datasets
        for _ in job.all_seeds
    ]


def _empty(axes: Mapping[str, Sequence[str]]) -> xr.Dataset:
    of_axes = {name: np.array(of, dtype=object) for name, of in axes.items()}
    return empty(xr.Dataset(coords=of_axes), CLUSTERS)


def _fill(
    out: xr.Dataset,
    grouping: str,
    vectors: Vectors,
    labels: Sequence[str],
    strata: Sequence[str],
    doubt: Doubt,
) -> None:
    """Put the scores of every way of clustering into their places."""
    told = len(dict.fromkeys(labels))
    for way in WAYS:
        at = dict(zip(OF_CLUSTERING, (grouping, way), strict=True))
        found = clusters(way, vectors.cosines, vectors.lengths, told)
        scores = judged(found, labels, strata[: len(labels)], doubt.resamples, doubt.permutations)
        for name, score in scores.items():
            put(out, name, at, score.found)
            rest = {"_chance": score.chance, "_chance_high": score.chance_high, "_p": score.p}
            for end, value in rest.items():
                out[f"{name}{end}"].loc[at] = value
        out["clusters_found"].loc[at] = len(set(found.tolist()) - {NONE})
        for label, value in f1(found, labels).items():
            out["label_f1"].loc[at | {"label": label}] = value

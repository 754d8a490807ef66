"""A region study in words: what its tables say, and where its figures are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import xarray as xr

from phasezoo.report.canvas import svg
from phasezoo.report.region_figures import (
    gain_figure,
    line_figure,
    similarity_figure,
)
from phasezoo.report.region_gains import arms_of, family_lines, gain_lines, overall_lines
from phasezoo.report.region_inside import (
    comparison_titles,
    inside_lines,
    inside_per_dataset,
    level_of_nothing,
    start_lines,
)
from phasezoo.report.region_numbers import Score, number, percent, score_of
from phasezoo.vocabulary import Status

SCORES = {
    "clustering_accuracy": "accuracy by majority (%)",
    "one_to_one_accuracy": "accuracy one to one (%)",
    "adjusted_rand": "adjusted Rand index",
    "mutual_information": "normalised mutual information",
}
IN_PERCENT = {"clustering_accuracy", "one_to_one_accuracy"}


@dataclass(frozen=True)
class RegionResults:
    """The joined results of one region study.

    Attributes:
        name: in paths.
        data: the variables of `phasezoo.store.variables.regions`; attributes say what was tuned.
    """

    name: str
    data: xr.Dataset


def region_view(results: RegionResults) -> dict[str, Any]:
    """What the template asks for about one region study."""
    data = results.data
    status = data["tuned_status"].values
    return {
        "name": results.name,
        "title": data.attrs["title"],
        "about": data.attrs,
        "families": _families(data),
        "models": {s.name.lower(): int((status == s).sum()) for s in Status},
        "seeds": data.sizes["seed"],
        "pictures": _pictures(results),
        "score_titles": list(SCORES.values()),
        "clusterings": clustering_lines(data),
        "comparisons": comparison_titles(data),
        "inside": inside_lines(data),
        "inside_per_dataset": inside_per_dataset(data),
        "at_start": start_lines(data),
        "nothing": level_of_nothing(data),
        "overall": overall_lines(data),
        "family_names": [str(name) for name in data["families"].values],
        "of_family": family_lines(data),
        "gains": gain_lines(data),
        "own": own_lines(data),
    }


def _families(data: xr.Dataset) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for dataset, family in zip(data["dataset"].values, data["family"].values, strict=True):
        found.setdefault(str(family), []).append(str(dataset))
    return found


@dataclass(frozen=True)
class Drawn:
    """A figure as a data URI, and what it says to those who cannot see it."""

    source: str
    says: str


def _pictures(results: RegionResults) -> dict[str, Drawn]:
    """Every figure of a region study."""
    data = results.data
    arms = arms_of(data)
    drawn = {
        "similarity": (similarity_figure(data), says_similar(data)),
        "lines": (line_figure(data), "Loss along lines through two models."),
        "gains": (gain_figure(data, arms), "Gains per data set; the tables below have them."),
    }
    return {
        name: Drawn(svg(figure, f"{results.name}-{name}"), says)
        for name, (figure, says) in drawn.items()
    }


def says_similar(data: xr.Dataset) -> str:
    """Mean cosine of task vectors of one data set, of one family, and of others."""
    return "; ".join(f"{what}: {number(value)}" for what, value in mean_cosines(data).items())


def mean_cosines(data: xr.Dataset) -> dict[str, float]:
    """Mean cosine over pairs of models of the first start, by what the two have in common."""
    first = data["start"].values[0]
    of = data["task_vector_cosine"].sel(start=first, other_start=first, drop=True)
    size = of.sizes["dataset"] * of.sizes["seed"]
    values = of.transpose("dataset", "seed", "other_dataset", "other_seed").values
    values = values.reshape(size, size)
    dataset = np.repeat(np.arange(of.sizes["dataset"]), of.sizes["seed"])
    family = np.repeat(data["family"].values, of.sizes["seed"])
    same_dataset = dataset[:, None] == dataset
    same_family = family[:, None] == family
    pairs = {
        "same data set": same_dataset & ~np.eye(size, dtype=bool),
        "same family, another data set": same_family & ~same_dataset,
        "another family": ~same_family,
    }
    return {what: _mean(values[chosen]) for what, chosen in pairs.items()}


def _mean(values: np.ndarray) -> float:
    found = values[np.isfinite(values)]
    return float(found.mean()) if found.size else float("nan")


def clustering_lines(data: xr.Dataset) -> list[dict[str, Any]]:
    """A line for each way of clustering and each kind of labels."""
    lines = []
    for grouping, clustering in product(data["grouping"].values, data["clustering"].values):
        at = data.sel(grouping=grouping, clustering=clustering)
        if not np.isfinite(float(at["clusters_found"])):
            continue
        scores = []
        for name in SCORES:
            written = percent if name in IN_PERCENT else number
            chance = f"chance: up to {written(float(at[f'{name}_chance_high']))}"
            scores.append(score_of(at, name, written, chance))
        lines.append(
            {
                "grouping": str(grouping),
                "clustering": str(clustering).replace("_", " "),
                "found": int(at["clusters_found"]),
                "labels": int(at["label_f1"].notnull().sum()),
                "scores": scores,
            }
        )
    return lines


def own_lines(data: xr.Dataset) -> list[tuple[str, str, Score]]:
    """Test error of the tuned models on their own data sets: mean, and the range of the seeds."""
    lines = []
    for dataset in data["dataset"].values:
        errors = data["tuned_test_error"].sel(dataset=dataset)
        family = str(errors["family"].item())
        ends = f"{percent(float(errors.min()))} to {percent(float(errors.max()))}"
        lines.append((str(dataset), family, Score(percent(float(errors.mean())), ends)))
    return lines

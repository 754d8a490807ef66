"""A region study in words: what its tables say, and where its figures are drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import xarray as xr

from phasezoo.report.canvas import svg
from phasezoo.report.region_figures import (
    TRAINED,
    gain_figure,
    line_figure,
    similarity_figure,
)
from phasezoo.report.tables import NOTHING
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


@dataclass(frozen=True)
class Score:
    """A number in a table, and what is written small below it."""

    value: str
    interval: str
    below: str = ""


def number(value: float, digits: int = 2, sign: str = "") -> str:
    """A number with a real minus; a dash where there is none."""
    if not np.isfinite(value):
        return NOTHING
    return format(round(value, digits) + 0.0, f"{sign}.{digits}f").replace("-", "\N{MINUS SIGN}")


def probability(value: float) -> str:
    """A p value: as it is down to 0.001."""
    if np.isfinite(value) and value < 0.001:
        return "< 0.001"
    return number(value, 3)


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
        "comparisons": [str(name) for name in data["comparison"].values],
        "inside": inside_lines(data),
        "inside_per_dataset": inside_per_dataset(data),
        "overall": overall_lines(data),
        "gains": gain_lines(data),
        "own": own_lines(data),
    }


def arms_of(data: xr.Dataset) -> list[str]:
    """Arms that are compared with the pre-trained start, and of which there are any."""
    there = data["efficient_gain"].notnull().any(["dataset", "trained", "samples"]).values
    return [str(name) for name, any_ in zip(data["arm"].values, there, strict=True) if any_]


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


def score_of(
    data: xr.Dataset, name: str, written: Callable[[float], str], below: str = ""
) -> Score:
    """A number with its interval, at one place of a Dataset."""
    value, low, high = (float(data[f"{name}{end}"]) for end in ("", "_low", "_high"))
    interval = f"[{written(low)}, {written(high)}]" if np.isfinite(low) else ""
    return Score(written(value), interval, below)


def clustering_lines(data: xr.Dataset) -> list[dict[str, Any]]:
    """A line for each way of clustering and each kind of labels."""
    lines = []
    for grouping, clustering in product(data["grouping"].values, data["clustering"].values):
        at = data.sel(grouping=grouping, clustering=clustering)
        if not np.isfinite(float(at["clusters_found"])):
            continue
        scores = []
        for name in SCORES:
            written = _percent if name in IN_PERCENT else number
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


def _percent(value: float) -> str:
    return number(100 * value, 1)


def _points(value: float) -> str:
    return number(100 * value, 2, "+")


def inside_lines(data: xr.Dataset) -> list[tuple[str, list[Score]]]:
    """For each level, how probably one group is better than another: mean over the data sets."""
    return [
        (
            str(level),
            [
                score_of(data.sel(level=level, comparison=c), "mean_better_probability", number)
                for c in data["comparison"].values
            ],
        )
        for level in data["level"].values
    ]


def inside_per_dataset(data: xr.Dataset) -> list[tuple[str, str, list[Score]]]:
    """The same for each data set."""
    return [
        (
            str(dataset),
            str(level),
            [
                score_of(
                    data.sel(dataset=dataset, level=level, comparison=c),
                    "better_probability",
                    number,
                )
                for c in data["comparison"].values
            ],
        )
        for dataset, level in product(data["dataset"].values, data["level"].values)
    ]


def overall_lines(data: xr.Dataset) -> list[dict[str, Any]]:
    """For each share, what is trained and arm: mean gain over the data sets, and its tests."""
    lines = []
    for at, arm in _settings(data):
        of = data.sel(at | {"arm": arm})
        counts = [of[f"datasets_{what}"] for what in ("won", "tied", "lost")]
        lines.append(
            {
                **_named(at),
                "arm": arm,
                "gain": score_of(of, "overall_gain", _points),
                "counts": " / ".join(number(float(count), 0) for count in counts),
                "p": probability(float(of["overall_gain_p"])),
                "sign_p": probability(float(of["overall_gain_sign_p"])),
                "p_holm": probability(float(of["overall_gain_p_holm"])),
            }
        )
    return lines


def gain_lines(data: xr.Dataset) -> list[dict[str, Any]]:
    """For each data set, share, what is trained and arm: test error, gain and its test."""
    lines = []
    baseline = data.attrs["baseline"]
    for dataset in data["dataset"].values:
        for at, arm in _settings(data):
            of = data.sel(at | {"dataset": dataset})
            errors = of["efficient_test_error"].mean("draw")
            one = of.sel(arm=arm)
            lines.append(
                {
                    **_named(at),
                    "dataset": str(dataset),
                    "arm": arm,
                    "before": _percent(float(errors.sel(arm=baseline))),
                    "after": _percent(float(errors.sel(arm=arm))),
                    "gain": score_of(one, "efficient_gain", _points),
                    "p": probability(float(one["efficient_gain_p"])),
                    "p_holm": probability(float(one["efficient_gain_p_holm"])),
                }
            )
    return lines


def _settings(data: xr.Dataset) -> list[tuple[Mapping[str, Any], str]]:
    """Every share and what is trained, with every arm."""
    return [
        ({"samples": samples, "trained": trained}, arm)
        for samples, trained in product(data["samples"].values, data["trained"].values)
        for arm in arms_of(data)
    ]


def _named(at: Mapping[str, Any]) -> dict[str, str]:
    return {"samples": str(at["samples"]), "trained": TRAINED[str(at["trained"])]}


def own_lines(data: xr.Dataset) -> list[tuple[str, str, Score]]:
    """Test error of the tuned models on their own data sets: mean, and the range of the seeds."""
    lines = []
    for dataset in data["dataset"].values:
        errors = data["tuned_test_error"].sel(dataset=dataset)
        family = str(errors["family"].item())
        ends = f"{_percent(float(errors.min()))} to {_percent(float(errors.max()))}"
        lines.append((str(dataset), family, Score(_percent(float(errors.mean())), ends)))
    return lines

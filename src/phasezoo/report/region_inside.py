"""Tables of groups inside and outside of regions, and of the start that they lie around."""

from __future__ import annotations

from itertools import product

import numpy as np
import xarray as xr

from phasezoo.report.region_numbers import Score, number, percent, score_of

BY = {"better_probability": "by loss", "better_probability_error": "by error"}
_SAME = 1.02  # factor within which levels are one line of a figure


def comparison_titles(data: xr.Dataset) -> list[tuple[str, str]]:
    """What each column of scores compares, and by what."""
    return list(product(map(str, data["comparison"].values), BY.values()))


def inside_lines(data: xr.Dataset) -> list[tuple[str, list[Score]]]:
    """For each level, how probably one group is better than another: mean over the data sets."""
    return [(str(level), _scores(data.sel(level=level), "mean_")) for level in data["level"].values]


def inside_per_dataset(data: xr.Dataset) -> list[tuple[str, str, list[Score]]]:
    """The same for each data set."""
    return [
        (str(dataset), str(level), _scores(data.sel(dataset=dataset, level=level)))
        for dataset, level in product(data["dataset"].values, data["level"].values)
    ]


def start_lines(data: xr.Dataset) -> list[tuple[str, list[str]]]:
    """For each data set, loss of the start with a new head, that of knowing nothing, and errors."""
    lines = []
    for dataset in data["dataset"].values:
        of = data.sel(dataset=dataset)
        loss, nothing = float(of["start_probe_loss"]), float(of["uniform_loss"])
        errors = percent(float(of["start_probe_error"])), percent(1 - np.exp(-nothing))
        lines.append((str(dataset), [number(loss, 3), number(nothing, 3), *errors]))
    return lines


def level_of_nothing(data: xr.Dataset) -> float | None:
    """Loss of knowing nothing over that of the start, where it is one number for all data sets."""
    ratios = (data["uniform_loss"] / data["start_probe_loss"]).values
    alike = bool(np.isfinite(ratios).all() and ratios.max() <= _SAME * ratios.min())
    return float(np.median(ratios)) if alike else None


def _scores(data: xr.Dataset, prefix: str = "") -> list[Score]:
    """A score for each of `comparison_titles`."""
    return [
        score_of(data.sel(comparison=comparison), prefix + name, number)
        for comparison, name in product(data["comparison"].values, BY)
    ]

"""Tables of what other starting points of a tuning save."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import xarray as xr

from phasezoo.report.region_figures import TRAINED
from phasezoo.report.region_numbers import number, percent, points, probability, score_of


def arms_of(data: xr.Dataset) -> list[str]:
    """Arms that are compared with the pre-trained start, and of which there are any."""
    there = data["efficient_gain"].notnull().any(["dataset", "trained", "samples"]).values
    return [str(name) for name, any_ in zip(data["arm"].values, there, strict=True) if any_]


def overall_lines(data: xr.Dataset) -> list[dict[str, Any]]:
    """For each share, what is trained and arm: mean gain over the data sets, and its tests."""
    lines = []
    for at, arm in _settings(data):
        of = data.sel({**at, "arm": arm})
        counts = [of[f"datasets_{what}"] for what in ("won", "tied", "lost")]
        lines.append(
            {
                **_named(at),
                "arm": arm,
                "gain": score_of(of, "overall_gain", points),
                "counts": " / ".join(number(float(count), 0) for count in counts),
                "p": probability(float(of["overall_gain_p"])),
                "sign_p": probability(float(of["overall_gain_sign_p"])),
                "p_holm": probability(float(of["overall_gain_p_holm"])),
            }
        )
    return lines


def family_lines(data: xr.Dataset) -> list[dict[str, Any]]:
    """For each share, what is trained and arm: mean gain over the data sets of each family."""
    return [
        {
            **_named(at),
            "arm": arm,
            "gains": [points(float(g)) for g in data["family_gain"].sel({**at, "arm": arm})],
        }
        for at, arm in _settings(data)
    ]


def gain_lines(data: xr.Dataset) -> list[dict[str, Any]]:
    """For each data set, share, what is trained and arm: test error, gain and its test."""
    lines = []
    baseline = data.attrs["baseline"]
    for dataset in data["dataset"].values:
        for at, arm in _settings(data):
            of = data.sel({**at, "dataset": dataset})
            errors = of["efficient_test_error"].mean("draw")
            one = of.sel(arm=arm)
            lines.append(
                {
                    **_named(at),
                    "dataset": str(dataset),
                    "arm": arm,
                    "before": percent(float(errors.sel(arm=baseline))),
                    "after": percent(float(errors.sel(arm=arm))),
                    "gain": score_of(one, "efficient_gain", points),
                    "p": probability(float(one["efficient_gain_p"])),
                    "p_holm": probability(float(one["efficient_gain_p_holm"])),
                }
            )
    return lines


def _settings(data: xr.Dataset) -> list[tuple[dict[str, Any], str]]:
    """Every share and what is trained, with every arm."""
    return [
        ({"samples": samples, "trained": trained}, arm)
        for samples, trained in product(data["samples"].values, data["trained"].values)
        for arm in arms_of(data)
    ]


def _named(at: Mapping[str, Any]) -> dict[str, str]:
    return {"samples": str(at["samples"]), "trained": TRAINED[str(at["trained"])]}

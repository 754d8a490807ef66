"""Zoos whose pairs were merged every way, without merging any."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr

from phasezoo.report.results import ZooResults
from phasezoo.store.variables import VARIABLES
from phasezoo.vocabulary import EPOCH, LOAD
from report.mock import mock

WAYS, CORRECTIONS = ("none", "weights", "straight_through"), ("kept", "repair")
HEIGHTS = {"none": 1.0, "weights": 0.1, "straight_through": 0.08, "kept": 1.0, "repair": 0.5}
POINTS, BINS = 5, 4
PAIRS = ((0, 1), (2, 3), (4, 5))  # blocks of two share no seed
OF_PAIR = ("load", "temperature", "pair", "epoch")
NAMES = {
    "alignment": WAYS,
    "correction": CORRECTIONS,
    "soup": ("uniform", "greedy"),
    "baseline": ("single", "best", "ensemble", "with_prior", "full"),
    "outputs": ("train", "test", "calibrated"),
}
AXES = {
    **{axis: np.array(names, dtype=object) for axis, names in NAMES.items()},
    "t": np.linspace(0, 1, POINTS),
    "bin": np.linspace(0, 1, BINS + 1)[1:],
}
SEEN = {"by": "labels", "majority": 0.8}


def widths(name: str = "digits-mlp-widths", **changed: object) -> ZooResults:
    """One temperature, three pairs that share no seed, barriers that fall with width and epoch."""
    settings = {"widths": (4, 16), "batch_sizes": (64,), "blocks": PAIRS, "epochs": (0, 60)}
    results = mock(name, **settings | changed)
    return replace(results, merging=merged(results.merging))


def judged(seen: dict[str, object] | None = None) -> ZooResults:
    """As `widths`, with verdicts on merges and on what they are compared with."""
    results = widths()
    _fill(results.merging, "judged_")
    if seen:
        results.spec["training"]["seen"] = seen
    return results


def _fill(merging: xr.Dataset, *prefixes: str) -> None:
    """Puts numbers by chance into variables: shares, and counts up to 100."""
    chance = np.random.default_rng(5)
    for variable in VARIABLES.values():
        if variable.name.startswith(prefixes):
            most = 100 if variable.name.endswith("_count") else 1
            values = most * chance.random([merging.sizes[dim] for dim in variable.dims])
            merging[variable.name] = (variable.dims, values.astype(variable.dtype))


def merged(merging: xr.Dataset) -> xr.Dataset:
    """With arms: paths that are a parabola over the line between their ends."""
    out = merging.assign_coords(AXES)
    height, bump = heights(out), 4 * out["t"] * (1 - out["t"])
    for name, share in {
        "train_loss": 1.0,
        "test_loss": 1.1,
        "train_error": 0.1,
        "test_error": 0.1,
    }.items():
        path = 0.05 + 0.02 * out["t"] + share * height * bump
        out[f"path_{name}"] = path.transpose(*VARIABLES[f"path_{name}"].dims).astype("float32")
    out["midpoint_calibrated_loss"] = out["path_test_loss"].sel(t=0.5, drop=True) * 0.9
    _fill(out, "soup_", "baseline_", "checkpoint_soup_")
    return out


def heights(merging: xr.Dataset) -> xr.DataArray:
    """Loss of the midpoint above the line between the ends, for every pair, epoch and arm."""
    way, correction = (
        xr.DataArray(
            [HEIGHTS[name] for name in merging[axis].values], {axis: merging[axis]}, [axis]
        )
        for axis in ("alignment", "correction")
    )
    chance = np.random.default_rng(3).lognormal(0, 0.3, [merging.sizes[d] for d in OF_PAIR])
    base = xr.DataArray(chance, {d: merging[d] for d in OF_PAIR}, OF_PAIR)
    late = merging[EPOCH] / (merging[EPOCH] + 5)
    return base * 8 / merging[LOAD] * way**late * correction

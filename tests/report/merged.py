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
POINTS = 5
FIVE_PAIRS = ((0, 1), (2, 3), (4, 5), (6, 7), (8, 9))  # blocks of two share no seed


def widths(name: str = "digits-mlp-widths", **changed: object) -> ZooResults:
    """One temperature, five pairs that share no seed, barriers that fall with width and epoch."""
    settings = {
        "widths": (4, 16, 64),
        "batch_sizes": (64,),
        "blocks": FIVE_PAIRS,
        "epochs": (0, 9, 60),
    }
    return merged(mock(name, **settings | changed))


def merged(results: ZooResults) -> ZooResults:
    """The results with arms: paths that are a parabola between their ends."""
    axes = {
        "alignment": np.array(WAYS, dtype=object),
        "correction": np.array(CORRECTIONS, dtype=object),
        "t": np.linspace(0, 1, POINTS),
    }
    merging = results.merging.assign_coords(axes)
    height = heights(merging)
    bump = 4 * merging["t"] * (1 - merging["t"])
    for name, share in (
        ("train_loss", 1.0),
        ("test_loss", 1.1),
        ("train_error", 0.1),
        ("test_error", 0.1),
    ):
        end = 0.05 + 0.02 * merging["t"]
        path = (end + share * height * bump).transpose(*VARIABLES[f"path_{name}"].dims)
        merging[f"path_{name}"] = path.astype("float32")
    return replace(results, merging=merging)


def heights(merging: xr.Dataset) -> xr.DataArray:
    """Loss of the midpoint above the line between the ends, for every pair, epoch and arm."""
    by = [xr.DataArray([HEIGHTS[v] for v in merging[axis].values], {axis: merging[axis]}, [axis])
          for axis in ("alignment", "correction")]  # fmt: skip
    chance = np.random.default_rng(3).lognormal(0, 0.3, [merging.sizes[d] for d in OF_PAIR])
    base = xr.DataArray(chance, {d: merging[d] for d in OF_PAIR}, OF_PAIR)
    late = merging[EPOCH] / (merging[EPOCH] + 5)
    return base * 8 / merging[LOAD] * (by[0] ** late) * by[1]


OF_PAIR = ("load", "temperature", "pair", "epoch")

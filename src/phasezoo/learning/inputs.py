"""What a baseline knows of a checkpoint."""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from phasezoo.store.variables import OF_MODEL
from phasezoo.vocabulary import LOAD, TEMPERATURE

Floats = NDArray[np.float64]
Inputs = Literal["nothing", "position", "weights", "both"]


def inputs(metrics: xr.Dataset) -> dict[Inputs, Floats]:
    """For every kind of input a matrix [checkpoints, features], over `OF_MODEL` in that order.

    The position is that in the grid: load and temperature, their squares and product, of logarithms
    where no value is 0 or less. Of the weights it is the statistics of every tensor.

    Args:
        metrics: with `weight_statistics`; NaN where a checkpoint diverged or was not measured.
    """
    statistics = metrics["weight_statistics"].transpose(*OF_MODEL, ...).values
    weights = statistics.reshape(np.prod(statistics.shape[:4], dtype=int), -1).astype(np.float64)
    weights = weights[:, np.isfinite(weights).any(axis=0)]  # vectors have no spectral norm
    position = _position(metrics)
    return {
        "nothing": np.zeros((len(weights), 1)),
        "position": position,
        "weights": weights,
        "both": np.concatenate([position, weights], axis=1),
    }


def _position(metrics: xr.Dataset) -> Floats:
    shape = tuple(metrics.sizes[axis] for axis in OF_MODEL)
    x, y = (
        np.broadcast_to(_scaled(metrics[axis].values).reshape(at), shape).ravel()
        for axis, at in ((LOAD, (-1, 1, 1, 1)), (TEMPERATURE, (1, -1, 1, 1)))
    )
    return np.stack([x, y, x**2, y**2, x * y], axis=1)


def _scaled(values: NDArray[np.generic]) -> Floats:
    """Centred logarithms, or the values where some have none."""
    numbers = values.astype(np.float64)
    numbers = np.log(numbers) if (numbers > 0).all() else numbers
    return np.asarray(numbers - numbers.mean())

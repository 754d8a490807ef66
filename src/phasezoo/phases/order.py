"""Which end of the temperature axis is hot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from phasezoo.vocabulary import HYPERPARAMETERS, TEMPERATURE


@dataclass(frozen=True)
class Order:
    """Positions on the temperature axis from cold to hot, and how that is known."""

    cold_to_hot: NDArray[np.intp]
    known_by: str


def order_of(metrics: xr.Dataset) -> Order:
    """The order of the temperatures of a table.

    The hyperparameter that realises the temperature is named by the attribute `hyperparameter` of
    the axis, by the attribute `temperature_name` of the table, or by a coordinate along the axis.
    Without any of these, whole numbers are taken for batch sizes and others for learning rates.

    Raises:
        ValueError: a temperature is no number.
    """
    axis = metrics[TEMPERATURE]
    named = [
        axis.attrs.get("hyperparameter"),
        metrics.attrs.get("temperature_name"),
        *(name for name, c in metrics.coords.items() if c.dims == (TEMPERATURE,)),
    ]
    known = [str(name) for name in named if name in HYPERPARAMETERS]
    values = _numbers(axis)
    guess = "batch_size" if (values == np.round(values)).all() else "learning_rate"
    name = known[0] if known else guess
    order = np.argsort(values, kind="stable")
    how = name if known else f"nothing; the values are taken for a {name}"
    return Order(order if HYPERPARAMETERS[name].grows > 0 else order[::-1].copy(), how)


def _numbers(axis: xr.DataArray) -> NDArray[np.float64]:
    try:
        return np.asarray(axis.values, dtype=np.float64)
    except ValueError:
        got = ", ".join(map(repr, axis.values.tolist()))
        raise ValueError(f"{TEMPERATURE}: got {got}, allowed are numbers") from None

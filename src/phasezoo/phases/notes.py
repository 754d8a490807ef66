"""What is to be said about a table before its labels are believed."""

from __future__ import annotations

import numpy as np
import xarray as xr

from phasezoo.phases.cells import points_because, replicated
from phasezoo.phases.order import Order
from phasezoo.phases.scheme import Scheme
from phasezoo.vocabulary import EPOCH, PAIR, SEED


def notes(metrics: xr.Dataset, scheme: Scheme, order: Order) -> list[str]:
    """Sentences on metrics of one number per cell, missing numbers, few seeds, units, the axis."""
    last = metrics.isel({EPOCH: -1}) if EPOCH in metrics.dims else metrics
    found = [note for name in scheme.metrics for note in _of_metric(last, name)]
    if "mode_connectivity" in scheme.metrics and (why := points_because(metrics)):
        found.append(f"mode_connectivity: taken for percentage points, because {why}")
    if order.known_by.startswith("nothing"):
        found.append(f"temperature: which end is hot is told by {order.known_by}")
    return found


def _of_metric(metrics: xr.Dataset, name: str) -> list[str]:
    metric = replicated(metrics[name], metrics)
    found = []
    cells = np.isfinite(metric.values).any(axis=-1)
    if metric.kind == "cell":
        what = _one_of(metrics[name])
        found.append(f"{name}: {what}; its noise is taken from the roughness of the grid")
    if lacking := int((~cells).sum()):
        found.append(f"{name}: missing in {lacking} of {cells.size} cells")
    fewest = np.isfinite(metric.values).sum(axis=-1)[cells].min(initial=99)
    if metric.kind == "seed" and fewest < 5:
        found.append(f"{name}: as few as {fewest} seeds in a cell; resampling tells little of them")
    return found


def _one_of(metric: xr.DataArray) -> str:
    of = {SEED: "seed", PAIR: "pair"}
    dims = [word for dim, word in of.items() if dim in metric.dims]
    return f"measured on one {dims[0]} of each cell" if dims else "one number per cell"

"""Variables of comparisons, to be filled place by place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from phasezoo.store.variables import Variable
from phasezoo.transfer.regions.estimates import Estimate


def empty(coordinates: xr.Dataset, variables: Sequence[Variable]) -> xr.Dataset:
    """Variables on their axes, with nothing in them."""
    out = coordinates.coords.to_dataset()
    for variable in variables:
        shape = tuple(out.sizes[dim] for dim in variable.dims)
        out[variable.name] = (variable.dims, np.full(shape, np.nan, dtype=variable.dtype))
    return out


def put(out: xr.Dataset, name: str, at: Mapping[str, object], found: Estimate) -> None:
    """Put a number and the ends of its interval into their place."""
    for end, value in {"": found.value, "_low": found.low, "_high": found.high}.items():
        out[f"{name}{end}"].loc[dict(at)] = value

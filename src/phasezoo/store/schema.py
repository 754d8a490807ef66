"""The schema at work: checking, describing and listing the declared variables.

Writing anything that `phasezoo.store.variables` does not declare is an error.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from phasezoo.store.variables import AXES, VARIABLES, Variable
from phasezoo.vocabulary import (
    EPOCH,
    FIRST_SEED,
    HYPERPARAMETERS,
    LOAD,
    PAIR,
    RELATIVE_UP_TO,
    SAMPLE,
    SECOND_SEED,
    SEED,
    TEMPERATURE,
    Phase,
    PhasezooError,
    Status,
)


class SchemaError(PhasezooError):
    """A Dataset is not what the schema declares."""


_COORDINATES = {LOAD, TEMPERATURE, SEED, PAIR, EPOCH, FIRST_SEED, SECOND_SEED, "block", *AXES}


def family_variables(family: str) -> dict[str, Variable]:
    """The variables that one family of measurements must fill."""
    return {name: v for name, v in VARIABLES.items() if v.family == family}


def check(data: xr.Dataset, allowed: Mapping[str, Variable]) -> None:
    """Compare a Dataset with the schema.

    Raises:
        SchemaError: a variable is unknown, missing, or has other dims or another type.
    """
    for name in data.data_vars:
        if name not in allowed:
            raise SchemaError(f"{name}: not declared; allowed are {', '.join(allowed)}")
    for name, variable in allowed.items():
        if name not in data:
            raise SchemaError(f"{name}: missing; declared are {', '.join(allowed)}")
        found = data[name]
        if found.dims != variable.dims:
            raise SchemaError(f"{name}: got dims {found.dims}, allowed are {variable.dims}")
        if str(found.dtype) != variable.dtype:
            raise SchemaError(f"{name}: got type {found.dtype}, allowed is {variable.dtype}")
    for name in data.coords:
        if name not in _COORDINATES:
            raise SchemaError(f"{name}: not a coordinate; allowed are {sorted(_COORDINATES)}")


def described(data: xr.Dataset, load_name: str, temperature_name: str) -> xr.Dataset:
    """The Dataset with the attributes that the schema declares, on variables and axes.

    What it says of the samples that it was measured on is kept (`phasezoo.data.sample`).
    Mode connectivity beyond 1, which only relative errors of equations have, states up to where
    it goes, so that nobody takes it for percentage points (`phases.cells.points_because`).
    """
    out = data.copy()
    for name, variable in out.variables.items():
        if name in VARIABLES:
            kept = {k: v for k, v in variable.attrs.items() if k == SAMPLE}
            variable.attrs = {**VARIABLES[str(name)].attributes, **kept}
    if (largest := _largest(out, "mode_connectivity")) > 1:
        out["mode_connectivity"].attrs[RELATIVE_UP_TO] = largest
    for axis, hyperparameter in ((LOAD, load_name), (TEMPERATURE, temperature_name)):
        if axis in out.coords:
            meaning = HYPERPARAMETERS[hyperparameter]
            out[axis].attrs = {
                "long_name": meaning.long_name,
                "hyperparameter": meaning.name,
                "direction": meaning.direction,
            }
    long_names = {
        SEED: "seed",
        EPOCH: "completed passes over the training set",
        PAIR: "pair of seeds of one cell, first < second",
        **AXES,
    }
    for name, long_name in long_names.items():
        if name in out.coords:
            out[name].attrs = {"long_name": long_name}
    return out


def _largest(data: xr.Dataset, name: str) -> float:
    """Size of the largest number of a variable; 0 if there is none."""
    size = np.abs(data[name].values) if name in data else np.empty(0)
    return float(size.max(initial=0.0, where=np.isfinite(size)))


def missing_value(variable: Variable) -> float | int:
    """What stands where nothing was measured."""
    if variable.name == "phase":
        return int(Phase.MISSING)
    if variable.name == "status":
        return int(Status.NEVER_TRAINED)
    if variable.missing is not None:
        return variable.missing
    return np.nan if variable.dtype.startswith("float") else -1 if variable.flags else 0


def table() -> str:
    """The schema as a Markdown table."""
    rows = ["| group | variable | dims | units | meaning |", "|---|---|---|---|---|"]
    rows += [
        f"| {v.group} | `{v.name}` | {', '.join(v.dims)} | {v.units or 'flag'} | {v.long_name} |"
        for v in VARIABLES.values()
    ]
    return "\n".join(rows)

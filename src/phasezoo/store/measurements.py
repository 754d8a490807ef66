"""Measurements in NetCDF: one small file per job, joined on the full declared grid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from phasezoo.store import schema
from phasezoo.store.variables import VARIABLES, Variable
from phasezoo.store.whole import whole
from phasezoo.vocabulary import (
    EPOCH,
    FIRST_SEED,
    LOAD,
    PAIR,
    SAMPLE,
    SECOND_SEED,
    SEED,
    TEMPERATURE,
    Number,
)

if TYPE_CHECKING:  # joining needs no torch
    from phasezoo.data.sample import Sample

Values = Mapping[str, NDArray[np.float64]]


def pair_coordinates(
    pairs: Sequence[tuple[int, int]],
) -> dict[str, tuple[str, NDArray[np.generic]]]:
    """Coordinates of pairs of seeds: ``0-1``, and the two seeds as numbers."""
    first = np.array([a for a, _ in pairs], dtype=np.int32)
    second = np.array([b for _, b in pairs], dtype=np.int32)
    return {
        PAIR: (PAIR, np.array([f"{a}-{b}" for a, b in pairs], dtype=object)),
        FIRST_SEED: (PAIR, first),
        SECOND_SEED: (PAIR, second),
    }


def grid(
    loads: Sequence[Number],
    temperatures: Sequence[Number],
    blocks: Sequence[tuple[int, ...]],
    epochs: Sequence[int],
    pairs: Sequence[tuple[int, int]],
    axes: Mapping[str, NDArray[np.generic]] | None = None,
) -> xr.Dataset:
    """An empty Dataset with the coordinates of a grid, and of the axes of a family if it has some.

    Names on such an axis are texts, as Python's objects.
    """
    seeds = [seed for block in blocks for seed in block]
    labels = np.array(["+".join(map(str, block)) for block in blocks], dtype=object)
    return xr.Dataset(
        coords={
            LOAD: np.array(loads),
            TEMPERATURE: np.array(temperatures),
            SEED: np.array(seeds, dtype=np.int32),
            EPOCH: np.array(epochs, dtype=np.int32),
            "block": labels,
            **pair_coordinates(pairs),
            **(axes or {}),
        }
    )


def filled(
    coordinates: xr.Dataset, variables: Mapping[str, Variable], values: Values
) -> xr.Dataset:
    """A Dataset of `variables` with `values`, which have the declared dims or miss single ones.

    Values are given over [temperature, replicate, ...] for one load and epoch, where the replicate
    is the seed, pair or block that the variable is declared over, and the rest its own axes.
    """
    out = coordinates
    for name, variable in variables.items():
        block = np.asarray(values[name], dtype=variable.dtype)
        out = out.assign({name: (variable.dims, np.expand_dims(block, (0, 3)))})
    needed = {dim for v in variables.values() for dim in v.dims}
    return out.drop_dims([d for d in out.dims if d not in needed])


def beside(parts: Sequence[xr.Dataset]) -> xr.Dataset:
    """Datasets of `filled` for single loads as one for all of them."""
    return xr.concat(parts, LOAD, join="exact", coords="minimal", compat="override")


def sampled(data: xr.Dataset, samples: Iterable[Sample]) -> xr.Dataset:
    """The Dataset with what it was measured on, one attribute for each set."""
    return data.assign_attrs({f"{SAMPLE}_{sample.set}": sample.text for sample in samples})


Format = Literal["NETCDF4", "NETCDF3_64BIT"]


CLASSIC, LONG = 2**16, 2**12  # bytes of a file, of an array
PACKED = {"zlib": True, "shuffle": True, "complevel": 4}


def write(
    path: Path, data: xr.Dataset, variables: Mapping[str, Variable], form: Format = "NETCDF4"
) -> None:
    """Write a Dataset that holds just `variables`, each byte the same on every run.

    Args:
        path: of the file; its checksum lies beside it.
        data: what to write.
        variables: what the schema declares of it.
        form: the classic format takes 2 kB where HDF5 takes 14, for a file of a few numbers. One of
            more than `CLASSIC` bytes is compressed, which the classic format knows nothing of.

    Raises:
        SchemaError: the Dataset is not what the schema declares.
    """
    schema.check(data, variables)
    form = "NETCDF4" if data.nbytes > CLASSIC else form
    with whole(path) as draft:
        data.to_netcdf(draft, engine="netcdf4", format=form, encoding=encodings(data, form))


def encodings(data: xr.Dataset, form: Format = "NETCDF4") -> dict[str, dict[str, object]]:
    """Encodings under which integers stay integers and only floats have a missing value.

    Long arrays are compressed, where the format can.
    """
    return {
        str(name): {
            "_FillValue": np.float32(np.nan) if v.dtype.kind == "f" else None,
            **(PACKED if form == "NETCDF4" and v.nbytes > LONG else {}),
        }
        for name, v in data.variables.items()
        if v.dtype.kind in "fi"
    }


def read(path: Path) -> xr.Dataset:
    """Read a file that `write` wrote, into memory."""
    with xr.open_dataset(path, engine="netcdf4") as data:
        return data.load()


def joined(target: xr.Dataset, parts: Iterable[xr.Dataset]) -> xr.Dataset:
    """Put measurements into the full grid of `target`; what is absent stays missing.

    Each part is written into its place by labels, so a part that lies outside the declared grid
    is an error (KeyError) and a missing one leaves the missing value, never a hole in the axes.
    The axes that a family has of its own hold every value that any part has. A variable says which
    samples it was measured on where all its parts say the same.
    """
    parts = list(parts)
    out = target.assign_coords(_own_axes(target, parts))
    for part in parts:
        for name in part.data_vars:
            variable = VARIABLES[str(name)]
            if name not in out:
                shape = tuple(out.sizes[d] for d in variable.dims)
                empty = np.full(shape, schema.missing_value(variable), dtype=variable.dtype)
                out[name] = (variable.dims, empty)
            where = {dim: part[dim].values for dim in variable.dims}
            out[name].loc[where] = part[name].values
    for name in out.data_vars:
        said = {_sample(part, str(name)) for part in parts if name in part}
        if len(said) == 1 and (text := said.pop()):
            out[name].attrs[SAMPLE] = text
    return out


def _sample(part: xr.Dataset, name: str) -> str:
    return str(part.attrs.get(f"{SAMPLE}_{VARIABLES[name].sample}", ""))


def _own_axes(target: xr.Dataset, parts: Iterable[xr.Dataset]) -> dict[str, NDArray[np.generic]]:
    """Union of the coordinates on axes that the grid does not have; numbers in their order."""
    found: dict[str, dict[object, None]] = {}
    kinds = {}
    for part in parts:
        for axis in (str(dim) for dim in part.dims if dim not in target.coords):
            found.setdefault(axis, {}).update(dict.fromkeys(part[axis].values.tolist()))
            kinds[axis] = part[axis].dtype
    names = {axis for axis, kind in kinds.items() if kind.kind not in "fi"}
    return {
        axis: np.array(list(values) if axis in names else sorted(values), dtype=kinds[axis])  # type: ignore[type-var]
        for axis, values in found.items()
    }

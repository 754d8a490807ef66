"""Published summary tables of the zoo paper (one CSV row per model and epoch) as metrics.

ModelZoos/PhaseTransitionModelZoo, `summary_metrics/` @ 0d5a9d3. The landscape metrics stand in the
rows of all seeds of a cell, but there is one of each per cell: the mean over its seeds or pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isclose
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from phasezoo.store import measurements, schema
from phasezoo.store.csv_table import Table, TableError, number, read_table, refuse
from phasezoo.store.summary_columns import (
    COLUMNS,
    LOADS,
    LOSSES,
    OTHERS,
    ROUNDING,
    TEMPERATURES,
    Column,
    Floats,
    error_of,
)
from phasezoo.store.summary_rows import Axes, Label, Picks, chosen_rows, listed
from phasezoo.store.variables import OF_CELL, OF_MODEL
from phasezoo.store.whole import digest, whole
from phasezoo.vocabulary import EPOCH, LOAD, SEED, TEMPERATURE, Status

Places = tuple[NDArray[np.intp], ...]  # of the rows on the axes, in that order


def read_summary_table(
    path: Path | str, temperature: str = "batch_size", pick: Picks | None = None
) -> xr.Dataset:
    """The metrics of a published summary table, in our names and units.

    Errors and connectivity are fractions; trace and top eigenvalue are no logarithms. What is
    missing in the table is missing here; a row that is not there is a checkpoint never trained,
    and one whose loss is written as no finite number diverged.

    Args:
        path: of the CSV file.
        temperature: the hyperparameter that realises the temperature.
        pick: which of several zoos in the table, ``{"wd": 0.05}``, or which of several trials that
            stand there as one model, ``{"trial_id": "9df10_00095"}``, or a list of them.

    Returns:
        Dataset over (load, temperature, seed, epoch), float32, with `status`; the landscape
        metrics, of which there is one per cell, over (load, temperature, epoch). The load is
        the width, `embedding_dim` for transformers. Attributes say what was picked (`picked`), and
        that rows which repeat others were passed over (`notes`).

    Raises:
        TableError: the table cannot be read, has unknown columns or lacks an axis; a cell is not
            such a number as its column has; a model and epoch stands there with different numbers,
            as where there are several zoos, and none is picked; or a cell of the grid has two
            values of one landscape metric. One line per problem.
    """
    whole = read_table(Path(path))
    chosen = chosen_rows(whole, Axes(_axes(whole, temperature), temperature), pick or {})
    table, labels = chosen.table, chosen.labels
    found = {name: _numbers(table, name) for name in COLUMNS if name in table.columns}
    axes = {axis: np.unique([label[i] for label in labels]) for i, axis in enumerate(OF_MODEL)}
    small = {axis: axes[axis].astype(np.int32) for axis in (SEED, EPOCH)}
    out = xr.Dataset(coords=axes | small)
    places = tuple(
        np.searchsorted(axes[axis], [label[i] for label in labels])
        for i, axis in enumerate(OF_MODEL)
    )
    for name, column in COLUMNS.items():
        values = found.get(name, np.full(len(labels), np.nan))
        if column.dims == OF_CELL:
            _check_cells(table, name, labels, values)
        out[column.name] = _placed(column, values, places, out)
    out["status"] = _status(table, places, out)
    told = {"picked": _words(pick or {}), "notes": "\n".join(chosen.notes)}
    return _described(out, Path(path), temperature).assign_attrs(
        {name: text for name, text in told.items() if text}
    )


def write_summary_table(data: xr.Dataset, path: Path) -> None:
    """Write what `read_summary_table` gave as NetCDF, each byte the same on every run."""
    with whole(path) as draft:
        data.to_netcdf(draft, engine="netcdf4", encoding=measurements.encodings(data))


def _axes(table: Table, temperature: str) -> dict[str, str]:
    """Which column has the labels of each axis."""
    if temperature not in TEMPERATURES:
        raise TableError(f"temperature: got {temperature!r}, allowed are {', '.join(TEMPERATURES)}")
    loads = [name for name in LOADS if name in table.columns]
    columns = {LOAD: loads[0] if loads else LOADS[0], TEMPERATURE: TEMPERATURES[temperature]}
    columns |= {SEED: SEED, EPOCH: EPOCH}
    refuse(f"{table.path}: {problem}" for problem in _misfits(table, columns, loads))
    return columns


def _misfits(table: Table, columns: Mapping[str, str], loads: Sequence[str]) -> Iterator[str]:
    known = (*LOADS, SEED, EPOCH, *TEMPERATURES.values(), *OTHERS, *COLUMNS)
    if unknown := [repr(name) for name in table.columns if name not in known]:
        yield f"got unknown columns {', '.join(unknown)}; allowed are {', '.join(known)}"
    if missing := [name for name in columns.values() if name not in table.columns]:
        yield f"columns missing: {', '.join(missing)}"
    if len(loads) > 1:
        yield f"got both {' and '.join(loads)}, allowed is one of them"
    if not table.rows:
        yield "got no rows, allowed is at least one"


def _numbers(table: Table, name: str) -> Floats:
    """The numbers of a column, NaN where a cell is empty."""
    found = [number(cells[name]) if cells[name] else np.nan for _, cells in table.rows]
    rows = list(zip(table.rows, found, strict=True))
    bad = [row for row, value in rows if value is None]
    refuse(f"{table.at(n)}: {name}: got {cells[name]!r}, allowed is a number" for n, cells in bad)
    if COLUMNS[name].ours is error_of:
        outside = [row for row, value in rows if value is not None and not 0 <= value <= 1]
        refuse(
            f"{table.at(n)}: {name}: got {cells[name]}, allowed is a fraction, from 0 to 1"
            for n, cells in outside
            if cells[name] and np.isfinite(float(cells[name]))
        )
    return np.array(found, dtype=np.float64)


def _check_cells(table: Table, name: str, labels: Sequence[Label], values: Floats) -> None:
    """A landscape metric must be the same, but for rounding, in the rows of all seeds of a cell."""
    seen: dict[Label, float] = {}
    problems = []
    for (line, _), (load, heat, _, epoch), value in zip(table.rows, labels, values, strict=True):
        first = seen.setdefault((load, heat, epoch), value) if np.isfinite(value) else value
        if np.isfinite(value) and not isclose(value, first, rel_tol=ROUNDING):
            problems.append(
                f"{table.at(line)}: {name}: got {value}, and {first} for another seed of the cell; "
                f"allowed is one value per cell and epoch"
            )
    refuse(problems)


def _placed(column: Column, values: Floats, places: Places, grid: xr.Dataset) -> xr.Variable:
    """The values of a column on the grid, in our units; missing where there is none."""
    out = np.full([grid.sizes[dim] for dim in column.dims], np.nan, dtype=np.float32)
    with np.errstate(over="ignore"):
        ours = column.ours(values).astype(np.float32)
    there = np.isfinite(ours)
    where = [at[there] for dim, at in zip(OF_MODEL, places, strict=True) if dim in column.dims]
    out[tuple(where)] = ours[there]
    return xr.Variable(column.dims, out)


def _status(table: Table, places: Places, grid: xr.Dataset) -> xr.Variable:
    """Trained where there is a row, diverged where its loss is written as no finite number."""
    out = np.full([grid.sizes[dim] for dim in OF_MODEL], Status.NEVER_TRAINED, dtype=np.int8)
    losses = [name for name in LOSSES if name in table.columns]
    out[places] = [
        Status.DIVERGED
        if any(cells[name] and not np.isfinite(float(cells[name])) for name in losses)
        else Status.TRAINED
        for _, cells in table.rows
    ]
    return xr.Variable(OF_MODEL, out)


def _words(pick: Picks) -> str:
    return ", ".join(f"{column}={value}" for column in pick for value in listed(pick[column]))


def _described(data: xr.Dataset, path: Path, temperature: str) -> xr.Dataset:
    out = schema.described(data, "width", temperature)
    for column in COLUMNS.values():
        if column.comment:
            out[column.name].attrs["comment"] = column.comment
    out.attrs |= {"Conventions": "CF-1.11", "source": f"{path.name}, sha256 {digest(path)}"}
    return out

"""Phases of the cells of a grid, from explicit thresholds."""

from __future__ import annotations

import xarray as xr

from phasezoo.spec.metrics import PhaseCriteria
from phasezoo.vocabulary import EPOCH, LOAD, PAIR, SEED, TEMPERATURE, Phase, Status

DECIDING = ("train_loss", "mode_connectivity", "cka")


def classify_phases(metrics: xr.Dataset, criteria: PhaseCriteria) -> xr.Dataset:
    """Label every cell and epoch of a grid.

    The table of the zoo paper (arXiv 2504.18072) with thresholds: a cell is underfitted where the
    training loss reaches `criteria.train_loss`, has a barrier where mode connectivity lies below
    -`criteria.mode_connectivity`, is connected where it lies within it of 0, and its models are
    similar where CKA reaches `criteria.cka`:

        =============  =======  ========================  ============
        training loss  barrier  connected                 ends worse
        =============  =======  ========================  ============
        high           I        unclassified              II
        low            III      IV-A, or IV-B if similar  unclassified
        =============  =======  ========================  ============

    The table has no row for the two others. Its Hessian column takes no part. Seeds and pairs of a
    cell become one number by `criteria.seeds`; a mean lets pairs of opposite sign cancel, a median
    does not. Diverged models take no part and are counted, collapsed ones are only counted.

    Args:
        metrics: over load and temperature, and optionally seed, pair, epoch; with the variables
            train_loss, mode_connectivity and cka (errors and connectivity as fractions).
        criteria: the thresholds.

    Returns:
        Dataset over (load, temperature[, epoch]): `phase` int8, the numbers that decided, and how
        many models took part and diverged. A cell lacking a number that decides is `MISSING`.

    Raises:
        ValueError: a variable or an axis is missing.
    """
    _check(metrics)
    cell = {name: _of_cell(metrics[name], criteria.seeds) for name in DECIDING}
    cell = dict(zip(cell, xr.broadcast(*cell.values()), strict=True))
    loss, curve, cka = (cell[name] for name in DECIDING)

    underfitted = loss >= criteria.train_loss
    barrier = curve < -criteria.mode_connectivity
    worse_ends = curve > criteria.mode_connectivity
    similar = cka >= criteria.cka
    four = ~underfitted & ~barrier & ~worse_ends
    phase = xr.where(four, xr.where(similar, Phase.IV_B, Phase.IV_A), Phase.UNCLASSIFIED)
    phase = xr.where(underfitted & worse_ends, Phase.II, phase)
    phase = xr.where(barrier, xr.where(underfitted, Phase.I, Phase.III), phase)
    missing = loss.isnull() | curve.isnull() | (four & cka.isnull())
    phase = xr.where(missing, Phase.MISSING, phase).astype("int8")

    out = xr.Dataset({"phase": phase})
    for name, values in cell.items():
        out[f"{name}_of_cell"] = values.astype("float32")
    for name, count in _models(metrics).items():
        out[name] = count.broadcast_like(phase).astype("int16")
    axes = [axis for axis in (LOAD, TEMPERATURE, EPOCH) if axis in phase.dims]
    return out.transpose(*axes)


def _check(metrics: xr.Dataset) -> None:
    for name in DECIDING:
        if name not in metrics:
            known = ", ".join(map(str, metrics.data_vars))
            raise ValueError(f"metrics: got {known}; '{name}' is missing")
        for axis in (LOAD, TEMPERATURE):
            if axis not in metrics[name].dims:
                raise ValueError(f"metrics.{name}: got dims {metrics[name].dims}, '{axis}' missing")


def _of_cell(values: xr.DataArray, how: str) -> xr.DataArray:
    """One number per cell (and epoch); missing replicates are passed over."""
    replicates = [dim for dim in (SEED, PAIR) if dim in values.dims]
    if not replicates:
        return values.astype("float64")
    return getattr(values.astype("float64"), how)(replicates, skipna=True)  # type: ignore[no-any-return]


def _models(metrics: xr.Dataset) -> dict[str, xr.DataArray]:
    """How many models of each cell took part, diverged, and collapsed to a constant function."""
    loss = metrics["train_loss"]
    replicates = [dim for dim in (SEED,) if dim in loss.dims]
    counts = {"models": loss.notnull().sum(replicates)}
    for name, variable, flag in (
        ("diverged", "status", int(Status.DIVERGED)),
        ("collapsed_models", "collapsed", 1),
    ):
        if variable in metrics:
            counts[name] = (metrics[variable] == flag).sum(replicates)
        else:
            counts[name] = xr.zeros_like(counts["models"])
    return counts

"""How many models of each cell took part, diverged, and collapsed."""

from __future__ import annotations

import xarray as xr

from phasezoo.vocabulary import SEED, Status


def models_of(metrics: xr.Dataset) -> dict[str, xr.DataArray]:
    """Counts over (load, temperature[, epoch]); 0 where a table does not say."""
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

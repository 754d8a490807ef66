"""Labelled data sets on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import xarray as xr
from zarr.codecs import BloscCodec, BloscShuffle

from phasezoo.data.task import Task, task_from
from phasezoo.store.consolidated import consolidate
from phasezoo.store.manifest import store_of, verify


def write_dataset(directory: Path, data: xr.Dataset) -> None:
    """Write a labelled data set (`phasezoo.data.labelled`) as a Zarr v3 store."""
    packed = {"compressors": BloscCodec(cname="zstd", clevel=3, shuffle=BloscShuffle.shuffle)}
    data.to_zarr(
        directory,
        mode="w",
        zarr_format=3,
        consolidated=False,
        encoding={name: packed for name, v in data.variables.items() if np.ndim(v) >= 1},
    )
    consolidate(directory)


def read_task(manifest: Path, device: torch.device) -> Task:
    """The task of a stored data set, named after its manifest.

    Raises:
        ManifestError: the store is not what its manifest says.
    """
    verify(manifest)
    with xr.open_zarr(store_of(manifest), consolidated=True, mask_and_scale=False) as data:
        return task_from(data.load(), manifest.stem, device)


def read_references(manifest: Path) -> str:
    """Where a stored data set comes from."""
    with xr.open_zarr(store_of(manifest), consolidated=True) as data:
        return str(data.attrs["references"])

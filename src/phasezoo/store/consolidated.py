"""Consolidated metadata: one request tells a reader all about a store."""

from __future__ import annotations

import warnings
from pathlib import Path

import zarr
from zarr.errors import ZarrUserWarning


def consolidate(directory: Path) -> None:
    """Gather all metadata in the root, so that nothing needs to be listed.

    A remote reader then needs one request for them, and files that are not Zarr's (Snakemake's
    time stamp) are not met.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ZarrUserWarning)  # known to be outside of the v3 text
        zarr.consolidate_metadata(directory, zarr_format=3)

"""The arrays of a NumPy archive that somebody brought, checked before they are used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phasezoo.data.archive import ArchiveError, readable, wrong
from phasezoo.spec.data import Npz

__all__ = ["ArchiveError", "read_npz"]

_MOST_CLASSES = np.iinfo(np.int16).max  # labels are stored in 16 bits
_ALLOWED = "a NumPy archive (.npz) without pickled objects"


def read_npz(path: Path, spec: Npz) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images [N, C, H, W] and labels [N] of an archive, enough of them for the split of `spec`.

    Raises:
        ArchiveError: no archive, an array is missing or pickled or of another shape, type or
            range than allowed, or the split does not leave each class on either side.
    """
    try:
        arrays = _arrays(path)
        images, labels = _images(arrays["images"]), _labels(arrays["labels"])
        if len(images) != len(labels):
            raise wrong("labels", f"{len(labels)} of them", f"{len(images)}, one for each image")
        _check_split(labels, spec)
    except ArchiveError as problem:
        raise ArchiveError(f"{spec.url}: {problem}") from None
    return images, labels


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The two arrays as they are in the archive; nothing in it is executed."""
    with readable("the file", _ALLOWED):
        loaded = np.load(path, allow_pickle=False)
        if not isinstance(loaded, np.lib.npyio.NpzFile):
            raise wrong("the file", "a single array", "a NumPy archive (.npz)")
        with loaded as archive:
            return {name: _array(archive, name) for name in ("images", "labels")}


def _array(archive: np.lib.npyio.NpzFile, name: str) -> NDArray[Any]:
    if name not in archive:
        there = ", ".join(archive.files) or "nothing"
        raise wrong(name, "no such array", f"it beside what is there: {there}")
    array: NDArray[Any] = archive[name]
    return array


def _images(given: NDArray[Any]) -> NDArray[np.uint8]:
    if given.dtype != np.uint8 or given.ndim not in {3, 4} or 0 in given.shape:
        raise wrong("images", _described(given), "uint8 [N, C, H, W] or [N, H, W]")
    images = given if given.ndim == 4 else given[:, None]
    flat = images.min(axis=(0, 2, 3)) == images.max(axis=(0, 2, 3))
    if flat.any():
        got = f"channel {flat.argmax()} of one value everywhere"
        raise wrong("images", got, "channels that vary")
    return np.ascontiguousarray(images)


def _labels(given: NDArray[Any]) -> NDArray[np.int64]:
    if given.dtype.kind not in "iu" or given.ndim != 1 or not given.size:
        raise wrong("labels", _described(given), "integers [N]")
    for extreme in (given.min(), given.max()):
        if not 0 <= extreme < _MOST_CLASSES:
            raise wrong("labels", str(extreme), f"class numbers from 0 to {_MOST_CLASSES - 1}")
    labels = given.astype(np.int64)
    counts = np.bincount(labels)
    if len(counts) < 2:
        raise wrong("labels", "class 0 only", "two classes or more")
    if counts.min() < 3:  # with two there may be no split that suits
        got = f"{counts.min()} of class {counts.argmin()}"
        raise wrong("labels", got, f"three or more of each class from 0 to {len(counts) - 1}")
    return labels


def _check_split(labels: NDArray[np.int64], spec: Npz) -> None:
    """The shares of the smallest class on either side of a split are whole samples."""
    margin = -(-len(labels) // int(np.bincount(labels).min()))
    most = len(labels) - margin
    if not margin <= spec.train <= most:
        raise wrong(
            "train", str(spec.train), f"{margin} to {most} of the {len(labels)} samples, {_WHY}"
        )
    kept = spec.keep
    if kept is not None and kept != spec.train and not margin <= kept <= spec.train - margin:
        raise wrong("keep", str(kept), f"{margin} to {spec.train - margin}, {_WHY}; or null")


_WHY = "so that each class is on either side"


def _described(array: NDArray[Any]) -> str:
    return f"{array.dtype} {list(array.shape)}"

"""SVHN, cropped digits: MATLAB files (Netzer et al. 2011)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from phasezoo.data.archive import UNREADABLE, readable, wrong
from phasezoo.data.vision.decoded import Decoded, Part, assembled
from phasezoo.spec.published import Numbers

_PROBLEMS = (*UNREADABLE, MatReadError, LookupError, OverflowError, TypeError, struct.error)


def svhn(files: Mapping[str, Path], numbers: Numbers) -> Decoded:
    """Training and test digits; the class 10 of the files is the digit 0.

    Raises:
        ArchiveError: a file does not hold them as they are published.
    """
    classes = [str(digit) for digit in range(10)]
    train, test = (_part(files[f"{name}_32x32.mat"]) for name in ("train", "test"))
    return assembled(train, test, classes, numbers)


def _part(path: Path) -> Iterator[Part]:
    """The array `X` [row, column, channel, N] and the labels `y` [N, 1], from 1 to 10."""
    with readable(path.name, "a MATLAB file that is whole", _PROBLEMS):
        arrays: dict[str, Any] = loadmat(path, variable_names=["X", "y"])
    for name, dimensions in (("X", 4), ("y", 2)):
        array = arrays.get(name)
        if not isinstance(array, np.ndarray) or array.ndim != dimensions:
            raise wrong(path.name, f"no {name} of {dimensions} dimensions", "X and y")
    labels = arrays["y"].ravel()
    if labels.dtype.kind not in "iu":
        raise wrong(path.name, f"labels of {labels.dtype}", "whole numbers")
    for extreme in (labels.min(), labels.max()) if labels.size else ():
        if not 1 <= extreme <= 10:
            raise wrong(path.name, f"label {extreme}", "1 to 10")
    yield Part(path.name, arrays["X"].transpose(3, 2, 0, 1), labels.astype(np.int64) % 10)

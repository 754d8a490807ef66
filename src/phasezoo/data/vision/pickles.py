"""Pickles of arrays, read without running what a pickle may ask to be run."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np

from phasezoo.data.archive import UNREADABLE, readable

# What makes an array from its parts; where numpy keeps it has changed with its versions.
_RECONSTRUCT: Callable[..., Any] = np.empty(0).__reduce__()[0]  # type: ignore[assignment]
_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}
_PROBLEMS = (
    *UNREADABLE,
    pickle.UnpicklingError,
    AttributeError,
    ImportError,
    LookupError,
    MemoryError,  # a length that is made up
    OverflowError,
    TypeError,
)


def read_pickle(name: str, content: bytes) -> Any:
    """What a pickle of arrays, numbers, text, lists and dictionaries holds.

    Text of Python 2 is read as Latin-1, the way its own bytes were.

    Raises:
        ArchiveError: no pickle, or one that asks for anything else, which is not run.
    """
    allowed = "a pickle of arrays, numbers, text, lists and dictionaries"
    with readable(name, allowed, _PROBLEMS):
        return _Plain(io.BytesIO(content), encoding="latin1").load()


class _Plain(pickle.Unpickler):
    """An unpickler to which nothing but arrays is known."""

    def find_class(self, module: str, name: str) -> Any:
        """The function or class of a name, all that a pickle could ever call."""
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"a pickle that asks for {module}.{name}")
        return _ALLOWED[module, name]

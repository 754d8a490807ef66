"""Imports of what is large."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def importing() -> Iterator[None]:
    """Import without the garbage collector, and keep it off what was imported.

    Modules are no garbage. Looking for it among those of torch takes 0.3 s while they are imported,
    and 0.6 s more when the process ends.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()

"""What the C library does with memory that is freed."""

from __future__ import annotations

import ctypes
import sys

# Parameters of mallopt(3), of glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
MAPPED_FROM = 2**25  # bytes of a block; the most that glibc itself would come to
KEPT = 2**29  # bytes of free memory at the end of the heap


def keep_freed_memory() -> bool:
    """Have the memory of a tensor that is freed serve the next one.

    Without, glibc gives large blocks back to the system and asks for them anew, which zeroes them
    page by page: up to a quarter of what it takes to evaluate a small convolutional network
    (benchmarks/README.md). Blocks of more than `MAPPED_FROM` bytes are given back as ever, and so
    is what exceeds `KEPT` bytes at the end of the heap. No number changes.

    Returns:
        Whether the C library is one that can be told.
    """
    tell = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if tell is None:
        return False
    told = [tell(_MMAP_THRESHOLD, MAPPED_FROM), tell(_TRIM_THRESHOLD, KEPT)]
    return all(told)

"""What goes wrong outside of the program, in one line that says what to do."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

_HINTS = {
    errno.ENOSPC: "make room, then run again: what is finished stays",
    errno.EDQUOT: "make room within your quota, then run again: what is finished stays",
    errno.EROFS: "the folder can only be read; work in one that can be written",
    errno.EACCES: "you may not write or read there; change its owner or its mode",
    errno.EPERM: "you may not write or read there; change its owner or its mode",
    errno.EIO: "the disk fails; move the study to another one",
    errno.ESTALE: "the shared file system lost the file; run again",
    errno.EMFILE: "too many open files; raise `ulimit -n`",
}
_OF_MEMORY = (
    "can't allocate memory",
    "not enough memory",
    "out of memory",
    "failed to map segment",
)
_NEARLY_FULL = 2**20  # bytes


def explain(problem: BaseException) -> str | None:
    """A line for a user, or None for what can only be a mistake of ours."""
    if isinstance(problem, OSError) and problem.errno in _HINTS:
        where = problem.filename or "a file"
        hint = _HINTS[problem.errno]
        return f"{_told(where)}: cannot be used: {os.strerror(problem.errno)}; {hint}"
    text = str(problem).lower()
    if isinstance(problem, MemoryError) or any(words in text for words in _OF_MEMORY):
        return (
            "out of memory: the job needs more than this machine lets it have; run fewer jobs at "
            "once (--cores), or give it more, then run again: what is finished stays"
        )
    if "netcdf" in text or "hdf" in text:  # these libraries do not say why a write failed
        free = shutil.disk_usage(Path()).free
        if free < _NEARLY_FULL:
            return f"{Path().resolve()}: {free} bytes left on the disk; {_HINTS[errno.ENOSPC]}"
    return None


def _told(where: object) -> str:
    return os.fsdecode(where) if isinstance(where, bytes) else str(where)

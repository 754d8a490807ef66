"""What goes wrong outside of the program, in one line that says what to do."""

from __future__ import annotations

import errno
import os

OUT_OF_MEMORY = "out of memory"
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
_NO_MEMORY = (
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "out of memory",
    "failed to map segment",
    "can't start new thread",  # for want of a stack
)


def explain(problem: BaseException) -> str | None:
    """A line for a user, or None for what can only be a mistake of ours."""
    if isinstance(problem, OSError) and problem.errno in _HINTS:
        where = os.fsdecode(problem.filename) if problem.filename else "a file"
        why = os.strerror(problem.errno)
        return f"{where}: cannot be used: {why}; {_HINTS[problem.errno]}"
    text = str(problem).lower()
    if isinstance(problem, MemoryError) or any(words in text for words in _NO_MEMORY):
        return (
            f"{OUT_OF_MEMORY}: the job needs more than this machine lets it have; run fewer jobs "
            "at once (--cores), or give it more, then run again: what is finished stays"
        )
    return None

"""Files that are there whole or not at all, and say when they were altered.

Beside a file `NAME` lies `NAME.sha256`, in the format of ``sha256sum -c``. JSON files carry a seal,
the digest of all else in them, in their own text.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from phasezoo.vocabulary import PhasezooError

DRAFT = ".draft-"
_OF_WRITING = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


class AlteredError(PhasezooError):
    """A file is not what was written."""


def draft_of(path: Path) -> Path:
    """Where this process writes before it moves into place; on the same file system."""
    return path.with_name(f".{path.name}{DRAFT}{os.getpid()}")


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Let one process of this machine at a time write an artefact.

    A job whose workflow was killed may still run when the next one begins. The kernel frees the
    lock of a process that dies.
    """
    name = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:32]
    folder = Path(tempfile.gettempdir()) / f"phasezoo-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    with FileLock(folder / f"{name}.lock"):
        yield


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Write a file and its checksum, or neither: yields the draft to write.

    The checksum comes first, so that a file never lies there without one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = draft_of(path)
    try:
        with naming(path):
            yield draft
            flush(draft)
        line = f"{digest(draft)}  {path.name}\n"
        with alone(path):
            write_text(checksum_of(path), line)
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file by an atomic rename."""
    draft = draft_of(path)
    try:
        with naming(path):
            draft.write_text(text, encoding="utf-8")
            flush(draft)
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Have a failure to write name the artefact and the true cause.

    The system names no file when a disk is full, and netCDF4 then speaks of permissions, or of HDF
    without a cause; so what is unclear is tried once more with plain bytes beside the artefact.
    """
    try:
        yield
    except (OSError, RuntimeError) as problem:
        if isinstance(problem, OSError) and problem.errno in _OF_WRITING:
            raise OSError(problem.errno, problem.strerror, str(path)) from problem
        _probe(path)
        raise


def _probe(path: Path) -> None:
    """Write some bytes beside an artefact, and raise what that raises, with the artefact's name."""
    beside = path.with_name(f".{path.name}{DRAFT}{os.getpid()}-probe")
    try:
        beside.write_bytes(bytes(2**18))
        flush(beside)
    except OSError as cause:
        raise OSError(cause.errno, cause.strerror, str(path)) from cause
    finally:
        beside.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Have the disk hold a file before anything is told of it: power may go at any moment."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def digest(path: Path) -> str:
    """sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checksum_of(path: Path) -> Path:
    """Where the checksum of a file lies."""
    return path.with_name(f"{path.name}.sha256")


def check_file(path: Path) -> None:
    """Compare a file with its checksum.

    Raises:
        AlteredError: they differ, or there is no checksum.
    """
    beside = checksum_of(path)
    try:
        declared = beside.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise AlteredError(f"{path}: no readable checksum beside it, at {beside.name}") from None
    found = f"{digest(path)}  {path.name}\n"
    if found != declared:
        raise AlteredError(f"{path}: altered; got sha256 {found[:12]}, allowed {declared[:12]}")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write sealed JSON with sorted keys, whole or not at all."""
    write_text(path, _text({**content, "seal": _seal(content)}))


def read_json(path: Path) -> dict[str, Any]:
    """Read what `write_json` wrote, without the seal.

    Raises:
        AlteredError: it is not there, or not what was written.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content: dict[str, Any] = json.loads(text)
        seal = content.pop("seal")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise AlteredError(f"{path}: cannot be read ({problem})") from None
    if seal != _seal(content) or text != _text({**content, "seal": seal}):
        raise AlteredError(f"{path}: altered since it was written")
    return content


def _seal(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(_text(content).encode()).hexdigest()


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=1, sort_keys=True) + "\n"

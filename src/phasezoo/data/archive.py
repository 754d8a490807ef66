"""Archives that somebody brought, read in memory: nothing in them reaches the disk by its name."""

from __future__ import annotations

import gzip
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from phasezoo.vocabulary import PhasezooError

UNREADABLE: tuple[type[Exception], ...] = (
    OSError,
    EOFError,
    ValueError,  # pickled
    RuntimeError,  # encrypted, or packed in an unknown way
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)

_BLOCK = 1 << 20


class ArchiveError(PhasezooError):
    """An archive does not hold what a data set needs; names the part."""


def wrong(name: str, got: str, allowed: str) -> ArchiveError:
    """The error of a part: what was got, and what is allowed."""
    return ArchiveError(f"{name}: got {got}; allowed: {allowed}")


@contextmanager
def readable(
    name: str, allowed: str, problems: tuple[type[Exception], ...] = UNREADABLE
) -> Iterator[None]:
    """Whatever goes wrong in reading a part is told in one line.

    Raises:
        ArchiveError: one of `problems`.
    """
    try:
        yield
    except problems as problem:
        got = " ".join(str(problem).split()) or type(problem).__name__
        raise wrong(name, got, allowed) from None


def tar_members(path: Path, wanted: Collection[str]) -> dict[str, bytes]:
    """The content of some members of a tar.gz.

    Raises:
        ArchiveError: no such archive, a member is missing or there twice, or the archive has one
            that is neither file nor folder or lies outside.
    """
    found: dict[str, bytes] = {}
    names = []
    with readable(path.name, "a tar.gz that is whole"), gzip.open(path) as stream:
        with tarfile.open(fileobj=stream, mode="r|") as archive:  # from front to back, once
            for member in archive:
                name = _inside(member.name)
                names.append(name)
                if not (member.isfile() or member.isdir()):
                    raise wrong(f"member {name!r}", "a link or a device", "files and folders")
                if name in wanted:
                    content = archive.extractfile(member)
                    found[name] = content.read() if content else b""
        while stream.read(_BLOCK):  # what is broken may look like the end; the checksum comes last
            pass
    _check_members(names, wanted)
    return found


@contextmanager
def open_zip(path: Path, wanted: Collection[str] = ()) -> Iterator[zipfile.ZipFile]:
    """A zip to read members from, all of which are files and folders inside of it.

    Raises:
        ArchiveError: as `tar_members`.
    """
    with readable(path.name, "a zip that is whole"), zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            name = _inside(member.filename)
            if stat.S_ISLNK(member.external_attr >> 16):
                raise wrong(f"member {name!r}", "a link or a device", "files and folders")
        _check_members(archive.namelist(), wanted)
        yield archive


def _inside(name: str) -> str:
    """The name of a member in one spelling; one that leads out of the archive is refused."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or re.match("[A-Za-z]:", name):
        raise wrong(f"member {name!r}", "a path that leads out", "paths within the archive")
    return str(path)


def _check_members(there: Collection[str], wanted: Collection[str]) -> None:
    for name in wanted:
        if name not in there:
            some = ", ".join(list(there)[:8]) or "nothing"
            raise wrong(name, "no such member", f"it beside what is there: {some}")
        if list(there).count(name) > 1:
            raise wrong(name, "two of it", "each member once")

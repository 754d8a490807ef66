"""The files of a published set, from wherever one of them can be had."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from phasezoo.data.checksum import of_text
from phasezoo.data.download import DownloadError, FolderError, fetch, kept_at
from phasezoo.data.transfer import Patience, Say
from phasezoo.spec.web import web_address

MIRROR = "PHASEZOO_MIRROR"

_LOGGER = logging.getLogger("phasezoo")


@dataclass(frozen=True)
class File:
    """A file as its authors publish it.

    Attributes:
        name: of the file.
        size: bytes.
        checksum: as `phasezoo.data.checksum.of_text` reads it.
        folders: addresses of the folders where it lies, each with a slash at its end.
    """

    name: str
    size: int
    checksum: str
    folders: tuple[str, ...]

    def kept_in(self, folder: Path) -> Path:
        """Where it is kept, whichever address it came from."""
        return kept_at(self.folders[0] + self.name, self.checksum, folder)


def mirror(environment: Mapping[str, str] = os.environ) -> str | None:
    """The address in PHASEZOO_MIRROR, under which NAME/FILE is asked for before all others.

    Raises:
        DownloadError: it is no address.
    """
    address = environment.get(MIRROR)
    if not address:
        return None
    try:
        return web_address(address).rstrip("/")
    except ValueError as problem:
        raise DownloadError(f"{MIRROR}: got {address!r}; allowed: {problem}") from None


def bring(
    source: str,
    files: Sequence[File],
    folder: Path,
    patience: Patience | None = None,
    say: Say = _LOGGER.info,
) -> dict[str, Path]:
    """All files of a set by name: from `folder` where they are there, else from the web.

    Args:
        source: name of the set.
        files: of the set.
        folder: where files are kept.
        patience: tries, pauses and timeouts at each address.
        say: takes a line of progress.

    Raises:
        DownloadError: a file cannot be had. The first line says why; it and the lines after it
            say where to put each file that is missing.
    """
    found = {}
    for file in files:
        try:
            found[file.name] = _brought(source, file, folder, patience, say)
        except DownloadError as problem:
            others = _also_missing([f for f in files if f is not file], folder)
            raise DownloadError("\n".join([str(problem), *others])) from None
    return found


def _brought(source: str, file: File, folder: Path, patience: Patience | None, say: Say) -> Path:
    """One file, from the first address that gives it."""
    own = mirror()
    addresses = [f"{own}/{source}/"] if own else []
    reasons = []
    for address in (*addresses, *file.folders):
        try:
            return fetch(address + file.name, file.checksum, folder, patience, say)
        except FolderError:
            raise  # of no address
        except DownloadError as problem:
            reasons.append(str(problem).split("; allowed: ")[0])
            say(reasons[-1])
    there = "a file there" if len(reasons) == 1 else "a file at one of them"
    by_hand = _by_hand(file, folder)
    raise DownloadError(f"{', '.join(reasons)}; allowed: {there}, or {by_hand}")


def _also_missing(files: Sequence[File], folder: Path) -> Iterator[str]:
    for file in files:
        if not file.kept_in(folder).is_file():
            address = file.folders[0] + file.name
            yield f"{address}: got nothing yet; allowed: {_by_hand(file, folder)}"


def _by_hand(file: File, folder: Path) -> str:
    wanted = f"{of_text(file.checksum)}, {file.size:,} bytes"
    return f"put the one with {wanted}, at {file.kept_in(folder)}"

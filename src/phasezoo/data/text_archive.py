"""Documents of an archive of archives, read as a stream: nothing is unpacked to the disk."""

from __future__ import annotations

import io
import lzma
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from phasezoo.data.corpus import CorpusError

_UNREADABLE = (OSError, EOFError, tarfile.TarError, lzma.LZMAError)


def subsets(path: Path) -> Iterator[list[str]]:
    """The texts of an archive (.tar.xz of .xz, each a .tar.xz of .txt), one subset at a time.

    Subsets and texts come in the order of the archive. Three line ends and more count as two,
    white space at either end as none, and empty texts are left out, which is how the corpus is
    commonly read. Other files are passed over. One subset is in memory at a time.

    Raises:
        CorpusError: no such archive; a member that is no file, or one whose path leads out of the
            archive; a text that is not UTF-8.
    """
    with path.open("rb") as file:
        for name, subset in _files(file, path.name, ".xz"):
            inner = _files(io.BytesIO(subset), name, ".txt")
            texts = [_text(content, f"{name}: {text}") for text, content in inner]
            yield [text for text in texts if text]


def _files(packed: IO[bytes], archive: str, ending: str) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the files of a .tar.xz."""
    try:
        # not tarfile's own "r|xz", which takes a stream that was cut off for one that ended
        with lzma.open(packed) as plain, tarfile.open(fileobj=plain, mode="r|") as members:
            for member in members:
                _check(member, archive)
                content = members.extractfile(member)  # None for a folder
                if content and member.name.endswith(ending):
                    yield member.name, content.read()
    except _UNREADABLE as problem:
        got = " ".join(str(problem).split()) or type(problem).__name__
        raise CorpusError(f"{archive}: got {got}; allowed: a whole .tar.xz archive") from None


def _check(member: tarfile.TarInfo, archive: str) -> None:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        allowed = "members whose path stays within the archive"
        raise CorpusError(f"{archive}: got {member.name!r}; allowed: {allowed}")
    if not member.isreg() and not member.isdir():
        allowed = "files and folders, no links and no devices"
        raise CorpusError(f"{archive}: got {member.name!r}; allowed: {allowed}")


def _text(content: bytes, name: str) -> str:
    try:
        return re.sub(r"\n{3,}", "\n\n", content.decode()).strip()
    except UnicodeDecodeError as problem:
        got = f"byte {content[problem.start]:#04x} at {problem.start}"
        raise CorpusError(f"{name}: got {got}; allowed: text in UTF-8") from None

"""Files from the web: fetched once, kept, and used only with the checksum that was asked for."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import pooch
from filelock import FileLock, Timeout

from phasezoo.data.checksum import Checksum, of_text
from phasezoo.data.transfer import Patience, Say, TransferError, megabytes, size_of, transfer
from phasezoo.spec.web import web_address
from phasezoo.vocabulary import PhasezooError

CACHE = "PHASEZOO_CACHE"

_LOGGER = logging.getLogger("phasezoo")  # the job's own log


class DownloadError(PhasezooError):
    """A file cannot be had; the message says how to bring it by hand."""


class FolderError(DownloadError):
    """Files cannot be kept where they should be."""


def download_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where downloads are kept: the folder PHASEZOO_CACHE, else one in the project folder."""
    return Path(environment.get(CACHE) or ".phasezoo/downloads").absolute()


def kept_at(url: str, checksum: str, folder: Path) -> Path:
    """Where in `folder` the file of an address lies, told apart from others by its checksum."""
    name = PurePosixPath(unquote(urlsplit(url).path)).name
    digits = checksum.rpartition(":")[2].lower()
    return folder / f"{digits[:16]}-{re.sub(r'[^A-Za-z0-9._-]', '_', name)[-100:]}"


def fetch(
    url: str, checksum: str, folder: Path, patience: Patience | None = None, say: Say = _LOGGER.info
) -> Path:
    """The file of an address: from `folder` if it is there, else from the web.

    A transfer that breaks off is resumed, by a later call too; one job downloads, others of the
    same file wait for it.

    Args:
        url: address that begins with http:// or https://.
        checksum: of the file: 64 hexadecimal digits of SHA-256, or ``md5:`` and 32; a file with
            another is removed.
        folder: where files are kept; made if missing.
        patience: tries, pauses and timeouts.
        say: takes a line of progress.

    Returns:
        Path of the file in `folder`.

    Raises:
        DownloadError: no use of the address or the folder, or no file with this checksum.
    """
    wanted = _checked(url, checksum)
    path = kept_at(url, checksum, folder)
    try:
        if _is_there(path, wanted, say):
            return path
        with _alone(path, say):
            pooch.get_logger().setLevel(logging.WARNING)  # `say` tells what it would
            by = _Downloader(path, wanted, patience or Patience(), say)
            pooch.retrieve(url, wanted.tagged, path.name, folder, downloader=by)
    except OSError as problem:
        got = problem.strerror or str(problem)
        allowed = f"a folder that can be written, or another one named by {CACHE}"
        raise FolderError(f"{folder}: got '{got}'; allowed: {allowed}") from None
    return path


def _checked(url: str, checksum: str) -> Checksum:
    """The checksum as it is used, when both are of use."""
    try:
        web_address(url)
    except ValueError as problem:
        raise DownloadError(f"url: got {url!r}; allowed: {problem}") from None
    try:
        return of_text(checksum)
    except ValueError as problem:
        raise DownloadError(f"sha256: got {checksum!r}; allowed: {problem}") from None


def _is_there(path: Path, wanted: Checksum, say: Say) -> bool:
    """Whether the file is kept already; one with another checksum is removed."""
    if not path.is_file():
        return False
    got = wanted.of(path)
    if got != wanted:
        say(f"{path}: has {got}, not {wanted.digits}: removed")
        path.unlink()
    return got == wanted


@contextmanager
def _alone(path: Path, say: Say) -> Iterator[None]:
    """No other job brings the same file meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(f"{path.name}.lock"), thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"{path}: another job downloads it: waits")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


class _Downloader:
    """What pooch calls to bring a file: its beginning is kept beside it as a `.part`."""

    def __init__(self, path: Path, wanted: Checksum, patience: Patience, say: Say) -> None:
        self._path, self._wanted, self._patience, self._say = path, wanted, patience, say
        self._part = path.with_name(f"{path.name}.part")

    def __call__(self, url: str, output: str, _: object) -> None:
        here = f", {megabytes(size_of(self._part))} of it are here" if size_of(self._part) else ""
        self._say(f"{url}: download to {self._path}{here}")
        whole, got = self._brought(url)
        if got != self._wanted and not whole:
            # it may be put together of two versions, or have broken off unnoticed
            self._say(f"{url}: what was put together has {got}: once more from the start")
            _, got = self._brought(url)
        if got != self._wanted:
            raise DownloadError(f"{url}: got {got}; allowed: {self._wanted.digits}; removed it")
        self._say(f"{url}: all {megabytes(size_of(self._part))} are here")
        self._part.replace(output)

    def _brought(self, url: str) -> tuple[bool, Checksum]:
        """Whether the file came whole, and its checksum; a wrong one is removed."""
        try:
            whole = transfer(url, self._part, self._patience, self._say)
        except TransferError as problem:
            by_hand = f"a file there, or put the one with {self._wanted} at {self._path}"
            raise DownloadError(f"{url}: got {problem}; allowed: {by_hand}") from None
        got = self._wanted.of(self._part)
        if got != self._wanted:
            self._part.unlink()
        return whole, got

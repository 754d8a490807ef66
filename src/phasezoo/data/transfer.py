"""A file over HTTP on a bad network: resumed where it broke off, tried again after a pause."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import requests

Say = Callable[[str], None]

_BLOCK = 1 << 16  # bytes; what is lost of a block when a transfer breaks off comes again
_LONGEST_PAUSE = 60.0  # seconds
_FOR_NOW = {408, 425, 429}  # statuses below 500 that may pass


@dataclass(frozen=True)
class Patience:
    """How long a transfer goes on.

    Attributes:
        tries: failures in a row, none of which brought anything new, until it gives up.
        pause: seconds until it tries again; doubled with each such failure, at most a minute.
        connect: seconds to wait for a connection.
        stall: seconds without a byte that count as a failure.
        every: seconds between two lines of progress.
    """

    tries: int = 6
    pause: float = 1.0
    connect: float = 10.0
    stall: float = 30.0
    every: float = 10.0


class TransferError(Exception):
    """Why a transfer cannot be finished: a few words, without the address."""


class _BrokenError(Exception):
    """Why one try failed; another may not."""


def transfer(url: str, part: Path, patience: Patience, say: Say) -> bool:
    """Bring the file at `url` to `part`, which may hold the beginning of it.

    Returns:
        Whether it came whole: in one answer, of the length that the server had stated.

    Raises:
        TransferError: there is no such file, or all tries failed; `part` keeps what has come.
    """
    furthest, failures = size_of(part), 0
    while True:
        try:
            return _receive(url, part, patience, say)
        except _BrokenError as problem:
            failures = 0 if size_of(part) > furthest else failures + 1
            furthest = max(furthest, size_of(part))
            if failures >= patience.tries:
                raise TransferError(f"{problem}, {failures} times in a row") from None
            pause = min(patience.pause * 2 ** max(failures - 1, 0), _LONGEST_PAUSE)
            say(f"{url}: {problem} at {megabytes(size_of(part))}; tries again in {pause:g} s")
            time.sleep(pause)


def size_of(part: Path) -> int:
    """Bytes of a file, 0 where there is none."""
    return part.stat().st_size if part.exists() else 0


def megabytes(count: int) -> str:
    """A number of bytes, for people."""
    return f"{count / 1e6:.1f} MB"


def _receive(url: str, part: Path, patience: Patience, say: Say) -> bool:
    """One try; returns whether the file came whole."""
    have, timeout = size_of(part), (patience.connect, patience.stall)
    try:
        with requests.get(url, headers=_asked(have), stream=True, timeout=timeout) as answer:
            if answer.status_code == 416 and have:  # nothing comes after what is here
                return False
            _check_status(answer)
            return _write(answer, part, _Progress(url, patience.every, say))
    except (
        requests.ConnectionError,
        requests.Timeout,
        requests.exceptions.ChunkedEncodingError,
        requests.exceptions.ContentDecodingError,
    ) as problem:
        raise _BrokenError(_reason(problem, patience)) from None
    except requests.RequestException as problem:
        raise TransferError(f"an address of no use ({type(problem).__name__})") from None


def _asked(have: int) -> Mapping[str, str]:
    plain = {"Accept-Encoding": "identity"}  # bytes of the file itself, so that ranges fit
    return {**plain, "Range": f"bytes={have}-"} if have else plain


def _check_status(answer: requests.Response) -> None:
    status = answer.status_code
    text = f"HTTP {status} {answer.reason or ''}".strip()
    if status >= 500 or status in _FOR_NOW:
        raise _BrokenError(text)
    if status not in {200, 206}:
        raise TransferError(text)


def _write(answer: requests.Response, part: Path, progress: _Progress) -> bool:
    begin, total = _extent(answer)
    if begin not in {0, size_of(part)}:
        part.unlink(missing_ok=True)
        raise _BrokenError(f"bytes from {begin} on, which were not asked for")
    with part.open("ab" if begin else "wb") as file:
        for block in answer.iter_content(_BLOCK):
            file.write(block)
            progress.at(file.tell(), total)
    if total is not None and size_of(part) < total:
        raise _BrokenError("a part of the file")
    return begin == 0 and total is not None


def _extent(answer: requests.Response) -> tuple[int, int | None]:
    """Where in the file the answer begins, and the length of the file where the server says it."""
    ranged = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
    if answer.status_code == 206 and ranged:
        return int(ranged[1]), None if ranged[2] == "*" else int(ranged[2])
    length = answer.headers.get("Content-Length", "")
    return 0, int(length) if length.isdecimal() else None


def _reason(problem: requests.RequestException, patience: Patience) -> str:
    if isinstance(problem, requests.ConnectTimeout):
        return f"no connection within {patience.connect:g} s"
    # a timeout within the body comes as a ConnectionError
    if isinstance(problem, requests.Timeout) or "Read timed out" in str(problem):
        return f"nothing for {patience.stall:g} s"
    if isinstance(problem, requests.exceptions.SSLError):
        return "no secure connection"
    if isinstance(problem, requests.ConnectionError):
        return "no connection"
    return "a transfer that broke off"


class _Progress:
    """Says every few seconds how far a transfer is."""

    def __init__(self, url: str, every: float, say: Say) -> None:
        self._url, self._every, self._say = url, every, say
        self._last = time.monotonic()

    def at(self, size: int, total: int | None) -> None:
        """The transfer is at `size` of `total` bytes."""
        if time.monotonic() - self._last >= self._every:
            of = "" if total is None else f" of {megabytes(total)}"
            self._say(f"{self._url}: {megabytes(size)}{of}")
            self._last = time.monotonic()

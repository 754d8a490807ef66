"""Places on this machine that have files: by path, and a place that nobody listens at."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from data.server import Answer, Handler, Server, ranged, status


class Site(Server):
    """Gives the files of a mapping from paths to contents, or what else is said of a path."""

    def __init__(self, files: Mapping[str, bytes | Answer]) -> None:
        super().__init__(self._answer)
        self.files = dict(files)
        self.paths: list[str] = []

    @property
    def folder(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"

    def _answer(self, request: Handler) -> None:
        path = request.path.lstrip("/")
        self.paths.append(path)
        found = self.files.get(path, status(404))
        (ranged(found) if isinstance(found, bytes) else found)(request)

    def __enter__(self) -> Site:
        super().__enter__()
        return self


@contextmanager
def nobody() -> Iterator[str]:
    """An address at which no connection can be made."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{free.getsockname()[1]}/"

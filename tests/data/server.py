"""A web server on this machine whose every answer is scripted: it breaks, stalls, lies."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """One request; the server knows what to do with it."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.close_connection = True
        self.server.next_answer(self)(self)

    @property
    def begin(self) -> int:
        """The first byte that is asked for."""
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        return int(found[1]) if found else 0

    def say(self, status: int, body: bytes = b"", **headers: object) -> None:
        headers.setdefault("Content_Length", len(body))
        self.send_response(status)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


class Server(ThreadingHTTPServer):
    """Gives the scripted answers one after the other, and the last for ever."""

    daemon_threads = True

    def __init__(self, *answers: Answer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str | None] = []  # the Range of every request
        self.resume = threading.Event()  # ends what stalls
        self._answers, self._lock = list(answers), threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/sets/my%20set.npz"

    def next_answer(self, request: Handler) -> Answer:
        with self._lock:
            self.asked.append(request.headers.get("Range"))
            return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def __enter__(self) -> Server:
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.resume.set()
        self.shutdown()
        self.server_close()


def whole(content: bytes) -> Answer:
    """All of it, whatever range was asked for."""
    return lambda request: request.say(200, content)


def ranged(content: bytes, at_most: int | None = None) -> Answer:
    """What was asked for, or its first `at_most` bytes."""

    def answer(request: Handler) -> None:
        begin = request.begin
        if begin >= len(content):
            request.say(416)
            return
        end = len(content) if at_most is None else min(len(content), begin + at_most)
        span = f"bytes {begin}-{end - 1}/{len(content)}"
        request.say(206 if begin else 200, content[begin:end], Content_Range=span)

    return answer


def broken(content: bytes, after: int, ranges: bool = True) -> Answer:
    """Promises the rest, and closes the connection `after` bytes of it."""

    def answer(request: Handler) -> None:
        begin = request.begin if ranges else 0
        span = f"bytes {begin}-{len(content) - 1}/{len(content)}" if begin else None
        rest = content[begin:]
        request.say(
            206 if begin else 200, rest[:after], Content_Range=span, Content_Length=len(rest)
        )

    return answer


def stalled(content: bytes, after: int) -> Answer:
    """Sends some of it, and then nothing."""

    def answer(request: Handler) -> None:
        broken(content, after)(request)
        request.wfile.flush()
        request.server.resume.wait(60)

    return answer


def halting(content: bytes) -> Answer:
    """All of it, the second half when the server may resume."""

    def answer(request: Handler) -> None:
        half = len(content) // 2
        request.say(200, content[:half], Content_Length=len(content))
        request.wfile.flush()
        request.server.resume.wait(60)
        request.wfile.write(content[half:])

    return answer


def status(code: int, **headers: object) -> Answer:
    return lambda request: request.say(code, b"no", **headers)

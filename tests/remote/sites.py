"""Web servers on the loopback that serve one folder and say what was asked of them."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Protocol

NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


@dataclass(frozen=True)
class Request:
    """One answered request: the path, the range asked for, and what went back."""

    path: str
    asked: str
    status: int
    bytes: int


class Site(Protocol):
    url: str

    def requests(self) -> list[Request]:
        """What was asked since the last call."""


@dataclass
class Threaded:
    """Python's own server, with byte ranges added; some of its faults can be had on demand."""

    root: Path
    ranges: bool = True
    refused: int = 0  # a status that every request is answered with
    url: str = ""
    seen: list[Request] = field(default_factory=list)

    def requests(self) -> list[Request]:
        seen, self.seen = self.seen, []
        return seen

    def answer(self, path: str, asked: str) -> tuple[int, bytes]:
        """Status and body of a request."""
        file = self.root / path.lstrip("/")
        if self.refused or not file.is_file():
            return self.refused or 404, b""
        whole = file.read_bytes()
        if not (asked and self.ranges):
            return 200, whole
        first, last = re.fullmatch(r"bytes=(\d*)-(\d*)", asked).groups()
        if not first:
            return 206, whole[-int(last) :]
        return 206, whole[int(first) : int(last) + 1 if last else None]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        site: Threaded = self.server.site
        asked = self.headers.get("Range", "")
        status, body = site.answer(self.path, asked)
        site.seen.append(Request(self.path.lstrip("/"), asked, status, len(body)))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def threaded(root: Path, **faults: object) -> Iterator[Threaded]:
    site = Threaded(root, **faults)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.site = site
        site.url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, daemon=True).start()
        yield site
        server.shutdown()


CONFIGURATION = """
daemon off; master_process off; pid {home}/pid; error_log {home}/error.log;
events {{ worker_connections 64; }}
http {{
  client_body_temp_path {home}; proxy_temp_path {home}; fastcgi_temp_path {home};
  uwsgi_temp_path {home}; scgi_temp_path {home};
  log_format counted '$status $body_bytes_sent $uri $http_range';
  server {{
    listen 127.0.0.1:{port};
    root {root};
    access_log {home}/access.log counted;
  }}
}}
"""


@dataclass
class Nginx:
    """A private nginx; its access log says what was asked."""

    url: str
    log: Path
    read: int = 0
    marks: Iterator[int] = field(default_factory=count)

    def requests(self) -> list[Request]:
        mark = f"mark-{next(self.marks)}"
        host = self.url.removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=10)
        connection.request("GET", f"/{mark}")
        connection.getresponse().read()
        connection.close()
        lines = _until(lambda: _lines_to(self.log, mark))
        new, self.read = lines[self.read : -1], len(lines)
        return [_parsed(line) for line in new]


def _lines_to(log: Path, mark: str) -> list[str]:
    """The log up to the line of the mark; nothing while nginx has not written it."""
    lines = log.read_text().splitlines()
    return lines if lines and f"/{mark} " in lines[-1] else []


def _parsed(line: str) -> Request:
    status, size, path, asked = line.split(" ")
    return Request(path.lstrip("/"), "" if asked == "-" else asked, int(status), int(size))


@contextmanager
def nginx(root: Path, home: Path) -> Iterator[Nginx]:
    """Serve `root`; `home` is for its configuration and logs."""
    port = _free_port()
    home.mkdir()
    configuration, errors = home / "nginx.conf", home / "error.log"
    configuration.write_text(CONFIGURATION.format(home=home, port=port, root=root))
    command = [NGINX, "-p", str(home), "-e", str(errors), "-c", str(configuration)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _until(lambda: process.poll() is None and _answers(port))
        yield Nginx(f"http://127.0.0.1:{port}", home / "access.log")
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _until(ready):
    """What `ready` gives once it gives something."""
    for _ in range(500):
        if found := ready():
            return found
        time.sleep(0.02)
    raise AssertionError("nginx does not answer")

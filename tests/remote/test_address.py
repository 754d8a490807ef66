"""An address that gives no zoo: one line that names it and the cause."""

from __future__ import annotations

import json
import shutil
import socket
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from phasezoo.store.zoo import ZooError, load_model, open_zoo
from remote.sites import threaded
from steps.tiny import MLP, Tiny

CELL = {"width": 7, "batch_size": 13, "seed": 1, "epoch": 3}
SHARD = f"zoos/{MLP}.zarr/weights/7/parameters/c/0/0/3/0"


def refusal(address: str) -> str:
    with pytest.raises(ZooError) as caught:
        open_zoo(address)
    said = str(caught.value)
    assert "\n" not in said
    assert said.startswith(address)
    # no chain of tracebacks either
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return said


def test_an_address_with_nothing_there(tiny: Tiny) -> None:
    with threaded(tiny.root) as site:
        said = refusal(f"{site.url}/zoos/none.zarr")
    assert said.endswith(": not a zoo (no zarr.json there); allowed is a zoos/NAME.zarr")


def test_an_address_of_another_store(tiny: Tiny) -> None:
    with threaded(tiny.root) as site:
        assert "a Zarr store, but no zoo" in refusal(f"{site.url}/data/digits.zarr")


def test_a_server_that_is_not_there() -> None:
    with socket.socket() as taken:  # bound, so nobody else listens on it, and neither does this
        taken.bind(("127.0.0.1", 0))
        said = refusal(f"http://127.0.0.1:{taken.getsockname()[1]}/zoo.zarr")
    assert "cannot be read (Cannot connect to host 127.0.0.1" in said


def test_a_host_that_does_not_exist() -> None:
    assert "Cannot connect to host zoos.invalid:80" in refusal("http://zoos.invalid/zoo.zarr")


@pytest.mark.parametrize("status", [401, 403, 500, 503])
def test_a_server_that_refuses(tiny: Tiny, status: int) -> None:
    with threaded(tiny.root, refused=status) as site:
        assert f"cannot be read ({status}" in refusal(f"{site.url}/zoos/{MLP}.zarr")


def test_a_server_that_answers_everything_with_a_page(tmp_path: Path) -> None:
    (tmp_path / "zarr.json").write_text("<html>Welcome</html>")
    with threaded(tmp_path) as site:
        assert "not a zoo (Expecting value" in refusal(f"{site.url}")


def test_a_scheme_that_nobody_knows() -> None:
    assert "cannot be read (Protocol not known: shelf)" in refusal("shelf://zoos/zoo.zarr")


def test_a_store_whose_metadata_are_not_gathered(tiny: Tiny, tmp_path: Path) -> None:
    shutil.copytree(tiny.root / f"zoos/{MLP}.zarr", tmp_path / "zoo.zarr")
    root = tmp_path / "zoo.zarr/zarr.json"
    meta = json.loads(root.read_text())
    del meta["consolidated_metadata"]
    root.write_text(json.dumps(meta))
    with pytest.warns(RuntimeWarning, match="consolidated"):
        open_zoo(tmp_path / "zoo.zarr")  # a folder can be listed
    with threaded(tmp_path) as site:
        assert "not a zoo (Consolidated metadata" in refusal(f"{site.url}/zoo.zarr")


def test_a_server_without_byte_ranges_gives_metrics_but_no_models(tiny: Tiny) -> None:
    whole = (tiny.root / SHARD).stat().st_size
    handler = partial(SilentHandler, directory=str(tiny.root))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        zoo = open_zoo(f"{url}/zoos/{MLP}.zarr")
        assert zoo.metrics.test_error.sel(width=7, epoch=3).notnull().all()
        with pytest.raises(ZooError) as caught:
            load_model(zoo, **CELL)
        server.shutdown()
    said = f"{url}/{SHARD}: got {whole} bytes, asked for 36 of them; allowed is a server with byte"
    assert str(caught.value).startswith(said)


class SilentHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_a_server_that_goes_away_is_named_by_what_was_asked_last(tiny: Tiny) -> None:
    with threaded(tiny.root) as site:
        zoo = open_zoo(f"{site.url}/zoos/{MLP}.zarr")
        site.refused = 503
        with pytest.raises(ZooError, match=r"metrics/load/c/0: cannot be read \(503"):
            _ = zoo.metrics
        with pytest.raises(ZooError, match=r"weights/7/temperature/c/0: cannot be read \(503"):
            load_model(zoo, **CELL)

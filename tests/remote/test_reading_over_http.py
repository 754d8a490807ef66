"""What a reader of a zoo behind a web server fetches: what it needs, and nothing else."""

from __future__ import annotations

import struct
from pathlib import Path

import fsspec
import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn

from phasezoo.store.zoo import ZooError, load_model, open_zoo
from remote.sites import Request, Site
from steps.tiny import MLP, RESNET, Tiny

CELL = {"width": 7, "batch_size": 13, "seed": 1, "epoch": 3}
GROUP = f"zoos/{MLP}.zarr/weights/7"
SHARD = f"{GROUP}/parameters/c/0/0/3/0"


def address(site: Site, name: str) -> str:
    return f"{site.url}/zoos/{name}.zarr"


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def chunk_of(shard: Path, seed: int, seeds: int = 2) -> tuple[int, int]:
    """First byte and length of a seed's chunk; the index at the end is pairs and a checksum."""
    index = shard.read_bytes()[-(16 * seeds + 4) :]
    return struct.unpack_from("<QQ", index, 16 * seed)


def same(first: nn.Module, second: nn.Module) -> bool:
    pairs = zip(first.state_dict().items(), second.state_dict().items(), strict=True)
    return all(a[0] == b[0] and torch.equal(a[1], b[1]) for a, b in pairs)


def test_opening_is_one_request(site: Site, tiny: Tiny) -> None:
    site.requests()
    open_zoo(address(site, MLP))
    root = f"zoos/{MLP}.zarr/zarr.json"
    assert site.requests() == [Request(root, "", 200, (tiny.root / root).stat().st_size)]


def test_a_model_is_its_labels_its_table_the_index_of_its_shard_and_its_chunk(
    site: Site, tiny: Tiny
) -> None:
    zoo = open_zoo(address(site, MLP))
    site.requests()
    load_model(zoo, **CELL)
    seen = site.requests()
    labels = [f"{GROUP}/{axis}/c/0" for axis in ("temperature", "seed", "epoch")]
    table = [f"{GROUP}/tensor{column}" for column in ("/c/0", "_offset/c/0", "_shape/c/0/0")]
    first, length = chunk_of(tiny.root / SHARD, seed=1)
    assert [r for r in seen if r.path == SHARD] == [
        Request(SHARD, "bytes=-36", 206, 36),
        Request(SHARD, f"bytes={first}-{first + length - 1}", 206, length),
    ]
    assert sorted(r.path for r in seen) == sorted([*labels, *table, SHARD, SHARD])
    assert sum(r.bytes for r in seen) < length + 500
    assert length + 36 < 0.6 * (tiny.root / SHARD).stat().st_size  # the other seed stays there
    assert sum(r.bytes for r in seen) < 0.02 * size(tiny.root / f"zoos/{MLP}.zarr")


def test_from_nothing_a_model_takes_nine_requests(site: Site, tiny: Tiny) -> None:
    site.requests()
    found = load_model(address(site, MLP), **CELL)
    assert len(site.requests()) == 9
    assert same(found, load_model(tiny.root / f"zoos/{MLP}.zarr", **CELL))


def test_a_model_with_buffers_is_the_local_one(site: Site, tiny: Tiny) -> None:
    cell = {"width": 3, "learning_rate": 0.1, "seed": 0, "epoch": 2}
    site.requests()
    found = load_model(address(site, RESNET), **cell)
    assert len(site.requests()) == 1 + 3 + 2 * (2 + 3)
    assert same(found, load_model(tiny.root / f"zoos/{RESNET}.zarr", **cell))


def test_another_model_of_a_load_takes_two_requests(site: Site) -> None:
    zoo = open_zoo(address(site, MLP))
    load_model(zoo, **CELL)
    site.requests()
    load_model(zoo, **(CELL | {"batch_size": 31, "epoch": 2}))
    assert {r.path for r in site.requests()} == {f"{GROUP}/parameters/c/1/0/2/0"}
    zoo.weights(**(CELL | {"batch_size": 31, "epoch": 1}))
    assert len(site.requests()) == 2


def test_a_wrong_label_is_refused_before_weights_are_read(site: Site) -> None:
    zoo = open_zoo(address(site, MLP))
    site.requests()
    with pytest.raises(ZooError, match="width: got 5, allowed are 3, 7"):
        load_model(zoo, **(CELL | {"width": 5}))
    assert site.requests() == []
    with pytest.raises(ZooError, match="batch_size: got 14, allowed are 13, 31"):
        load_model(zoo, **(CELL | {"batch_size": 14}))
    assert [r.path for r in site.requests()] == [f"{GROUP}/temperature/c/0"]


def test_a_shard_that_was_never_written_is_missing_weights(site: Site) -> None:
    with pytest.raises(ZooError, match="no finite weights"):
        load_model(address(site, RESNET), width=3, learning_rate=1e11, seed=0, epoch=3)
    assert 404 in {r.status for r in site.requests()}


def test_a_metric_is_its_axes_and_its_chunk(site: Site, tiny: Tiny) -> None:
    zoo, local = open_zoo(address(site, MLP)), open_zoo(tiny.root / f"zoos/{MLP}.zarr")
    site.requests()
    found = zoo.metrics.test_error.sel(width=7, batch_size=13, epoch=3)
    xr.testing.assert_identical(
        found, local.metrics.test_error.sel(width=7, batch_size=13, epoch=3)
    )
    seen = [r.path.removeprefix(f"zoos/{MLP}.zarr/metrics/") for r in site.requests()]
    axes = ("load", "temperature", "seed", "epoch", "pair", "width", "batch_size")
    axes += ("t", "rank", "matrix", "tensor", "statistic")  # of families
    assert sorted(seen) == sorted([*(f"{axis}/c/0" for axis in axes), "test_error/c/0/0/0/0"])


def test_phases_and_a_cut_are_the_local_ones(site: Site, tiny: Tiny) -> None:
    zoo, local = open_zoo(address(site, MLP)), open_zoo(tiny.root / f"zoos/{MLP}.zarr")
    xr.testing.assert_identical(zoo.phases.load(), local.phases.load())
    cut = zoo.sel(width=7)
    xr.testing.assert_identical(cut.merging.load(), local.sel(width=7).merging.load())
    assert same(load_model(cut, **CELL), load_model(local, **CELL))


def test_plain_xarray_reads_it(site: Site, tiny: Tiny) -> None:
    site.requests()
    weights = xr.open_dataset(
        address(site, MLP), engine="zarr", group="weights/7", zarr_format=3, consolidated=True
    )
    at = {"temperature": 13, "seed": 1, "epoch": 3}
    vector = weights["parameters"].sel(at).values
    assert len(site.requests()) == 1 + 4 + 2  # metadata; labels and names of tensors; index, chunk
    local = open_zoo(tiny.root / f"zoos/{MLP}.zarr").weights(**CELL)
    np.testing.assert_array_equal(vector, local.parameters.numpy())


def test_the_address_may_end_with_a_slash(site: Site, tiny: Tiny) -> None:
    zoo = open_zoo(f"{address(site, MLP)}/")
    assert same(load_model(zoo, **CELL), load_model(tiny.root / f"zoos/{MLP}.zarr", **CELL))


def test_any_file_system_of_fsspec_will_do(tiny: Tiny) -> None:
    memory = fsspec.filesystem("memory")
    memory.put(str(tiny.root / f"zoos/{MLP}.zarr"), "/shelf/zoo.zarr", recursive=True)
    try:
        found = load_model("memory://shelf/zoo.zarr", **CELL)
    finally:
        memory.rm("/shelf", recursive=True)
    assert same(found, load_model(tiny.root / f"zoos/{MLP}.zarr", **CELL))

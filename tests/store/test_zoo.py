"""A published zoo gives its models back, with this package and without it."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import xarray as xr
import zarr
from torch import nn

import phasezoo
from phasezoo.models.build import build
from phasezoo.models.flat import load_weights
from phasezoo.spec.jobs import at_load
from phasezoo.store import links
from phasezoo.store.dataset import read_task
from phasezoo.store.manifest import ManifestError, verify
from phasezoo.store.weights import Block
from phasezoo.store.zoo import Zoo, ZooError, load_model, open_zoo
from steps.tiny import MLP, RESNET, Tiny

CPU = torch.device("cpu")
SEGMENT = {0: "0+1", 1: "0+1", 2: "2+3", 3: "2+3"}
# zoo, hyperparameters of load and temperature, a cell of finite models
ZOOS = [(MLP, "width", "batch_size", 7, 13), (RESNET, "width", "learning_rate", 3, 0.1)]


def path_of(tiny: Tiny, name: str) -> Path:
    return tiny.root / f"zoos/{name}.zarr"


def trained(
    tiny: Tiny, name: str, load: int, temperature: float, seed: int, epoch: int
) -> nn.Module:
    """A model as its training job left it."""
    zoo = tiny.zoo(name)
    label = zoo.temperature.meaning.label(temperature)
    block = Block(tiny.root / f"runs/{name}/{load}/{label}/0+1/{SEGMENT[epoch]}.zarr")
    module = build(at_load(zoo, load), (1, 8, 8), 10)
    return load_weights(module, block.weights(seed, epoch))


def same(first: nn.Module, second: nn.Module) -> bool:
    pairs = zip(first.state_dict().items(), second.state_dict().items(), strict=True)
    return all(a[0] == b[0] and torch.equal(a[1], b[1]) for a, b in pairs)


@pytest.mark.parametrize("name", [MLP, RESNET])
def test_every_finite_model_is_the_trained_one(tiny: Tiny, name: str) -> None:
    zoo, spec = open_zoo(path_of(tiny, name)), tiny.zoo(name)
    inputs = read_task(tiny.root / "data/digits.json", CPU).test_inputs
    axes = (spec.load.all_values, spec.temperature.all_values, (0, 1), (0, 1, 2, 3))
    for load, temperature, seed, epoch in product(*axes):
        if temperature == 1e11 and epoch > 0:  # these diverged
            continue
        found = load_model(zoo, seed, epoch, load=load, temperature=temperature)
        expected = trained(tiny, name, load, temperature, seed, epoch)
        assert same(found, expected)
        assert not found.training
        with torch.no_grad():
            assert torch.equal(found(inputs), expected(inputs))


@pytest.mark.parametrize(("name", "load", "temperature", "width", "heat"), ZOOS)
def test_axes_and_hyperparameters_name_the_same(
    tiny: Tiny, name: str, load: str, temperature: str, width: int, heat: float
) -> None:
    zoo = open_zoo(path_of(tiny, name))
    one = load_model(zoo, seed=1, epoch=2, load=width, temperature=heat)
    other = load_model(path_of(tiny, name), seed=1, epoch=2, **{load: width, temperature: heat})
    assert same(one, other)
    for group in ("metrics", "phases", "merging", "transfer"):
        data = zoo[group]
        by_axis, by_name = data.sel(load=width), data.sel({load: width})
        xr.testing.assert_equal(by_axis.drop_vars(load), by_name.drop_vars(load))
        assert data[temperature].values.tolist() == data["temperature"].values.tolist()
    cut, same_cut = zoo.sel(temperature=heat, epoch=3), zoo.sel(**{temperature: heat}, epoch=3)
    for group in ("metrics", "phases", "merging", "transfer"):
        xr.testing.assert_identical(cut[group], same_cut[group])
        assert cut[group]["temperature"].item() == heat
        assert cut[group].sizes["load"] == 2


@pytest.mark.parametrize("name", [MLP, RESNET])
def test_its_tree_is_what_plain_xarray_sees(tiny: Tiny, name: str) -> None:
    plain = xr.open_datatree(path_of(tiny, name), engine="zarr", chunks=None)
    tree = open_zoo(path_of(tiny, name)).tree
    xr.testing.assert_identical(tree, plain)
    for node in plain.subtree:
        assert set(tree[node.path].xindexes) == set(node.xindexes)


def test_a_zoo_that_was_cut_down_gives_models(tiny: Tiny) -> None:
    zoo = open_zoo(path_of(tiny, MLP))
    found = load_model(zoo.sel(width=7), seed=0, epoch=3, width=7, batch_size=13)
    assert same(found, trained(tiny, MLP, 7, 13, 0, 3))


def test_a_group_without_the_epoch_is_left_out(tiny: Tiny) -> None:
    zoo = open_zoo(path_of(tiny, MLP)).sel(epoch=0)  # evaluated, but nothing else was measured
    assert zoo.metrics["train_loss"].notnull().all()
    with pytest.raises(ZooError, match="got group 'phases', allowed are metrics, weights"):
        _ = zoo.phases


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"widht": 3}, r"no axis \['widht'\]; allowed are .*'load'"),
        ({"width": 3, "load": 3}, "got width, load, allowed is one name per axis"),
        ({"width": 5}, r"got \{'width': 5\}, allowed are labels of"),
    ],
)
def test_a_cut_that_means_nothing_is_refused(tiny: Tiny, labels: dict, said: str) -> None:
    with pytest.raises(ZooError, match=said):
        open_zoo(path_of(tiny, MLP)).sel(**labels)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"width": 5}, "width: got 5, allowed are 3, 7"),
        ({"batch_size": 14}, "batch_size: got 14, allowed are 13, 31"),
        ({"seed": 2}, "seed: got 2, allowed are 0, 1"),
        ({"epoch": 4}, "epoch: got 4, allowed are 0, 1, 2, 3"),
        ({"load": 3}, "allowed is one name per axis"),
        (
            {"depth": 2},
            r"no axis \['depth'\]; allowed are \['load', 'temperature', 'seed', 'epoch'",
        ),
    ],
)
def test_a_wrong_label_is_refused_with_those_allowed(tiny: Tiny, labels: dict, said: str) -> None:
    right = {"width": 7, "batch_size": 13, "seed": 0, "epoch": 3}
    with pytest.raises(ZooError, match=said):
        load_model(path_of(tiny, MLP), **(right | labels))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"batch_size": 13}, "width is missing; allowed are 3, 7"),
        ({"width": 3}, "batch_size is missing; allowed are 13, 31"),
    ],
)
def test_a_cell_needs_both_of_its_labels(tiny: Tiny, given: dict, said: str) -> None:
    with pytest.raises(ZooError, match=said):
        load_model(path_of(tiny, MLP), seed=0, epoch=0, **given)


def test_a_diverged_model_is_refused_and_its_status_says_so(tiny: Tiny) -> None:
    zoo = open_zoo(path_of(tiny, RESNET))
    with pytest.raises(ZooError, match=r"no finite weights .* see `status` in /metrics"):
        load_model(zoo, width=3, learning_rate=1e11, seed=0, epoch=3)
    status = zoo.metrics["status"].sel(learning_rate=1e11, epoch=3)
    flags = dict(
        zip(status.attrs["flag_values"], status.attrs["flag_meanings"].split(), strict=True)
    )
    assert {flags[value] for value in status.values.ravel()} == {"diverged"}


def test_what_is_no_zoo_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("text")
    (tmp_path / "empty").mkdir()
    for name in ("none", "text", "empty"):
        with pytest.raises(ZooError, match=f"{name}: not a zoo .*allowed is a zoos/NAME.zarr"):
            open_zoo(tmp_path / name)


def test_a_store_that_is_no_zoo_is_refused(tiny: Tiny) -> None:
    with pytest.raises(ZooError, match=r"digits\.zarr: a Zarr store, but no zoo"):
        open_zoo(tiny.root / "data/digits.zarr")


def test_an_unknown_group_is_refused_with_those_there(tiny: Tiny) -> None:
    known = "allowed are explained, learning, merging, metrics, phases, transfer, weights"
    with pytest.raises(ZooError, match=f"got group 'metric', {known}"):
        open_zoo(path_of(tiny, MLP))["metric"]


@pytest.mark.parametrize("name", [MLP, RESNET])
def test_a_store_carries_its_spec(tiny: Tiny, name: str) -> None:
    zoo = open_zoo(path_of(tiny, name))
    assert zoo.spec == tiny.zoo(name)
    assert zoo.tree.attrs["title"] == tiny.zoo(name).title
    assert zoo.tree.attrs["Conventions"] == "CF-1.11"
    assert json.loads(zoo.tree.attrs["versions"])["python"] == sys.version.split()[0]
    verify(tiny.root / f"zoos/{name}.json")


def test_labels_read_from_the_store_are_those_of_the_results(tiny: Tiny) -> None:
    for group in ("metrics", "phases", "merging", "transfer"):
        with xr.open_dataset(tiny.root / f"results/{RESNET}/{group}.nc") as expected:
            found = open_zoo(path_of(tiny, RESNET))[group]
            assert set(found.data_vars) == set(expected.data_vars)
            for variable in expected.data_vars:
                np.testing.assert_array_equal(found[variable], expected[variable])
                assert found[variable].dtype == expected[variable].dtype
                assert found[variable].dims == expected[variable].dims


@pytest.mark.parametrize("name", [MLP, RESNET])
def test_shards_are_the_files_of_the_training_jobs(tiny: Tiny, name: str) -> None:
    published, trained = (
        {
            p.stat().st_ino
            for array in ("parameters", "buffers")
            for p in folder.rglob(f"{array}/c/**/*")
            if p.is_file()
        }
        for folder in (path_of(tiny, name) / "weights", tiny.root / "runs" / name)
    )
    # loads, temperatures, epochs; of the residual networks half of the cells diverge after epoch 0
    shards = 2 * 2 * 4 if name == MLP else 2 * (2 * (4 + 1))
    assert published == trained
    assert len(published) == shards


def copied(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A zoo published where links are impossible."""

    def no_links(*_: object) -> None:
        raise OSError("Invalid cross-device link")

    root = tmp_path / "copy"
    shutil.copytree(tiny.root, root)
    monkeypatch.setattr(links, "os", SimpleNamespace(link=no_links))
    Tiny(root).publish(MLP)
    return root


def test_where_links_fail_shards_are_copied(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = copied(tiny, tmp_path, monkeypatch)
    shard = next((root / f"zoos/{MLP}.zarr/weights/7/parameters/c").rglob("0/0/3/0"))
    assert shard.stat().st_nlink == 1
    assert (root / f"zoos/{MLP}.json").read_bytes() == (tiny.root / f"zoos/{MLP}.json").read_bytes()


def test_a_shard_of_another_codec_is_not_linked(tiny: Tiny, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(tiny.root, root)
    meta = root / f"runs/{MLP}/7/13/0+1/2+3.zarr/parameters/zarr.json"
    meta.write_text(meta.read_text().replace('"zstd"', '"lz4"'))
    before = (root / f"zoos/{MLP}.json").read_bytes()
    with pytest.raises(ManifestError, match=r"got codecs .* train it again"):
        Tiny(root).publish(MLP)
    assert (root / f"zoos/{MLP}.json").read_bytes() == before
    verify(root / f"zoos/{MLP}.json")


def rebuilt(store: zarr.Group, table: str, array: str, at: tuple[int, ...]) -> dict:
    """Tensors by name, from the table and the flat vector, with zarr and numpy alone."""
    vector = store[array][at]
    found = {}
    for name, offset, shape in zip(
        store[table][:], store[f"{table}_offset"][:], store[f"{table}_shape"][:], strict=True
    ):
        shape = tuple(int(n) for n in shape if n >= 0)
        found[str(name)] = vector[offset : offset + math.prod(shape)].reshape(shape)
    return found


def test_the_table_of_tensors_rebuilds_a_perceptron_without_this_package(tiny: Tiny) -> None:
    store = zarr.open_group(path_of(tiny, MLP) / "weights/7", mode="r")
    tensors = rebuilt(store, "tensor", "parameters", (0, 1, 3))
    inputs = read_task(tiny.root / "data/digits.json", CPU).test_inputs
    features = inputs.flatten(1).numpy()
    for layer in range(2):
        weight, bias = tensors[f"hidden.{layer}.weight"], tensors[f"hidden.{layer}.bias"]
        features = np.maximum(features @ weight.T + bias, 0)
    logits = features @ tensors["head.weight"].T + tensors["head.bias"]
    with torch.no_grad():
        expected = trained(tiny, MLP, 7, 13, 1, 3)(inputs).numpy()
    # numpy and torch add up in another order
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)


def test_the_tables_of_tensors_fill_a_residual_network(tiny: Tiny) -> None:
    store = zarr.open_group(path_of(tiny, RESNET) / "weights/3", mode="r")
    parts = {
        **rebuilt(store, "tensor", "parameters", (0, 1, 3)),
        **rebuilt(store, "buffer_tensor", "buffers", (0, 1, 3)),
    }
    module = build(at_load(tiny.zoo(RESNET), 3), (1, 8, 8), 10)
    module.load_state_dict({name: torch.from_numpy(np.array(a)) for name, a in parts.items()})
    assert same(module, trained(tiny, RESNET, 3, 0.1, 1, 3))


def test_plain_xarray_opens_it_where_this_package_cannot_be_imported(tiny: Tiny) -> None:
    code = (
        "import sys, warnings\n"
        "sys.modules['phasezoo'] = sys.modules['torch'] = None\n"
        "warnings.simplefilter('error')\n"
        "import xarray as xr\n"
        "zoo = xr.open_datatree(sys.argv[1], engine='zarr')\n"
        "at = dict(temperature=13, seed=1, epoch=3)\n"
        "print(zoo['weights/7/parameters'].sel(at).values.astype('f8').sum())\n"
        "print(zoo['metrics/status'].sel(load=7, **at).item())\n"
        "print(zoo['merging/barrier_naive'].sel(pair='0-1').load().shape)"
    )
    command = [sys.executable, "-c", code, str(path_of(tiny, MLP))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    total, status, shape = done.stdout.splitlines()
    weights = open_zoo(path_of(tiny, MLP)).weights(1, 3, width=7, batch_size=13)
    assert float(total) == pytest.approx(weights.parameters.double().sum().item(), rel=1e-12)
    assert (status, shape) == ("1", "(2, 2, 1)")


def test_only_types_of_the_zarr_specification_are_stored(tiny: Tiny) -> None:
    specified = {"bool", "string", *(f"{kind}{bits}" for kind, bits in product(
        ("int", "uint", "float"), (8, 16, 32, 64)))}  # fmt: skip
    for name in (MLP, RESNET):
        for path in path_of(tiny, name).rglob("zarr.json"):
            meta = json.loads(path.read_text())
            assert meta["node_type"] == "group" or meta["data_type"] in specified, path


def test_a_model_is_read_from_one_file(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    """All other shards of the load may be missing."""
    path = tiny.root.parent / "one-shard.zarr"
    shutil.copytree(path_of(tiny, MLP), path)
    kept = path / "weights/7/parameters/c/0/0/3/0"
    for shard in (path / "weights").glob("*/parameters/c/*/*/*/*"):
        if shard != kept:
            os.unlink(shard)
    assert kept.exists()
    found = load_model(path, width=7, batch_size=13, seed=1, epoch=3)
    assert same(found, trained(tiny, MLP, 7, 13, 1, 3))
    with pytest.raises(ZooError, match="no finite weights"):
        load_model(path, width=7, batch_size=13, seed=1, epoch=2)


def test_the_package_offers_what_a_user_of_a_zoo_needs(tiny: Tiny) -> None:
    assert phasezoo.open_zoo is open_zoo
    assert phasezoo.load_model is load_model
    assert phasezoo.Zoo is Zoo
    with pytest.raises(AttributeError, match="no attribute 'open'"):
        _ = phasezoo.open

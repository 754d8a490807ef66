"""A zoo outlives its maker: stores whose spec is of another version still give what they hold."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import xarray as xr

from phasezoo.store.rebuild import blank
from phasezoo.store.zoo import Zoo, ZooError, load_model, open_zoo
from steps.tiny import MLP, RESNET, Tiny

GROUPS = ("metrics", "phases", "merging", "transfer")
CELLS = {
    MLP: {"width": 7, "batch_size": 13, "seed": 1, "epoch": 3},
    RESNET: {"width": 3, "learning_rate": 0.1, "seed": 1, "epoch": 3},
}


def altered(tiny: Tiny, tmp_path: Path, name: str, alter: Callable[[dict], None]) -> Path:
    """A copy of a zoo with other attributes; `spec` is handed over as a mapping."""
    path = tmp_path / f"{name}.zarr"
    shutil.copytree(tiny.root / f"zoos/{name}.zarr", path, copy_function=os.link)
    root = path / "zarr.json"
    meta = json.loads(root.read_text())
    attributes = meta["attributes"] | {"spec": json.loads(meta["attributes"]["spec"])}
    alter(attributes)
    if "spec" in attributes:
        attributes["spec"] = json.dumps(attributes["spec"])
    meta["attributes"] = attributes
    root.unlink()  # the link, not the zoo's own file
    root.write_text(json.dumps(meta))
    return path


def newer(attributes: dict) -> None:
    attributes["spec"] |= {"colour": "red", "training": {"parallel": {"ranks": 4}}}


def older(attributes: dict) -> None:
    for key in ("recipe", "phases", "transfer", "metrics"):
        del attributes["spec"][key]


def other_axes(attributes: dict) -> None:
    attributes["spec"] |= {"load": "wide", "temperature": None, "seeds": "0..9"}


def architecture_alone(attributes: dict) -> None:
    attributes["spec"] = {"architecture": attributes["spec"]["architecture"]}


@pytest.fixture(scope="module", params=[MLP, RESNET])
def original(tiny: Tiny, request: pytest.FixtureRequest) -> tuple[str, Zoo]:
    """A zoo as it is, all of it read."""
    zoo = open_zoo(tiny.root / f"zoos/{request.param}.zarr")
    for group in GROUPS:
        zoo[group].load()
    return request.param, zoo


@pytest.mark.parametrize(
    ("alter", "said"),
    [
        (newer, "spec: colour: got 'red'; allowed: one of the keys title, "),
        (older, "spec: recipe: got nothing; allowed: this key must be given"),
        (other_axes, "spec: load: got 'wide'; allowed: a mapping of keys to values"),
        (architecture_alone, "spec: title: got nothing; allowed: this key must be given"),
    ],
)
def test_a_spec_of_another_version_takes_nothing_but_itself_away(
    tiny: Tiny,
    original: tuple[str, Zoo],
    tmp_path: Path,
    alter: Callable[[dict], None],
    said: str,
) -> None:
    name, own = original
    path, cell = altered(tiny, tmp_path, name, alter), CELLS[name]
    zoo = open_zoo(path)
    for group in GROUPS:
        xr.testing.assert_identical(zoo[group].load(), own[group].load())
    by_name = zoo.sel(width=cell["width"], epoch=3).metrics
    xr.testing.assert_identical(by_name, own.sel(load=cell["width"], epoch=3).metrics)
    assert zoo.weights(**cell).parameters.equal(own.weights(**cell).parameters)
    found, expected = (load_model(z, **cell).state_dict() for z in (zoo, own))
    assert list(found) == list(expected)
    assert all(torch.equal(found[key], expected[key]) for key in expected)
    with pytest.raises(ZooError, match="it was written by another version of phasezoo") as caught:
        _ = zoo.spec
    assert str(caught.value).startswith(f"{path}: {said}")
    assert "\n" not in str(caught.value)


def lost(attributes: dict) -> None:
    del attributes["spec"]


def no_mapping(attributes: dict) -> None:
    attributes["spec"] = [1, 2]


def unknown_architecture(attributes: dict) -> None:
    attributes["spec"]["architecture"] = {"name": "transformer", "heads": 4}


def unknown_part(attributes: dict) -> None:
    attributes["spec"]["architecture"]["norm"] = "layer"


def deeper(attributes: dict) -> None:
    attributes["spec"]["architecture"]["hidden_layers"] = 3


def unshaped(attributes: dict) -> None:
    del attributes["input_shape"]


@pytest.mark.parametrize(
    ("alter", "said"),
    [
        (lost, "attribute spec is missing; there are Conventions, title"),
        (no_mapping, "attribute spec: .*; allowed is a mapping in JSON"),
        (unknown_architecture, "architecture: name: got 'transformer'; allowed: one of 'mlp', "),
        (unknown_part, "architecture: norm: got 'layer'; allowed: one of the keys name, "),
        (
            deeper,
            r"tensor hidden.2.bias: got none, allowed is \(7,\) in a module of this version",
        ),
        (unshaped, "attribute input_shape is missing"),
    ],
)
def test_an_architecture_of_another_version_gives_weights_but_no_module(
    tiny: Tiny, tmp_path: Path, alter: Callable[[dict], None], said: str
) -> None:
    zoo = open_zoo(altered(tiny, tmp_path, MLP, alter))
    expected = open_zoo(tiny.root / f"zoos/{MLP}.zarr").weights(**CELLS[MLP])
    assert zoo.weights(**CELLS[MLP]).parameters.equal(expected.parameters)
    assert zoo.metrics.test_error.sel(width=7, epoch=3).notnull().all()
    with pytest.raises(ZooError, match=said) as caught:
        load_model(zoo, **CELLS[MLP])
    assert "\n" not in str(caught.value)


def test_a_load_that_is_no_size_of_the_architecture_leaves_the_module_as_it_is() -> None:
    architecture = {"name": "pinn", "hidden_layers": 4, "width": 50}
    spec = json.dumps({"architecture": architecture})
    attributes = {"spec": spec, "input_shape": [2], "classes": 1}
    module = blank("zoo", attributes, {"beta": 30.0})
    assert sum(p.numel() for p in module.parameters()) == 7_851

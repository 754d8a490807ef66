"""A stored data set gives the task that the labelled one gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr

from phasezoo.data.labelled import labelled
from phasezoo.data.task import task_from
from phasezoo.spec.data import Digits
from phasezoo.spec.label_noise import LabelNoise
from phasezoo.store.dataset import read_references, read_task, write_dataset
from phasezoo.store.manifest import ManifestError, store_of, tree_of, writing

CPU = torch.device("cpu")
SPEC = Digits(
    source="digits",
    recipe=1,
    train=1744,
    split_seed=0,
    keep=61,
    label_noise=LabelNoise(fraction=0.2, seed=0),
)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "noisy.json"
    with writing(path, {}) as directory:
        write_dataset(directory, labelled(SPEC))
    return path


def test_the_stored_task_is_that_of_the_labelled_arrays(manifest: Path) -> None:
    found, expected = read_task(manifest, CPU), task_from(labelled(SPEC), "noisy", CPU)
    assert (found.name, found.classes) == ("noisy", 10)
    for name in ("train_inputs", "train_labels", "test_inputs", "test_labels"):
        assert torch.equal(getattr(found, name), getattr(expected, name)), name


def test_every_array_comes_back_with_its_type(manifest: Path) -> None:
    with xr.open_zarr(store_of(manifest), mask_and_scale=False) as found:
        xr.testing.assert_equal(found.load(), labelled(SPEC))
        assert found.attrs == labelled(SPEC).attrs
        assert found["image"].dtype == np.uint8
        assert found["given_label"].dtype == np.int16


def test_two_writes_are_the_same_to_the_byte(manifest: Path, tmp_path: Path) -> None:
    write_dataset(tmp_path / "again.zarr", labelled(SPEC))
    assert tree_of(tmp_path / "again.zarr") == tree_of(store_of(manifest))


def test_it_says_where_it_comes_from(manifest: Path) -> None:
    assert read_references(manifest) == labelled(SPEC).attrs["references"]


def test_altered_data_are_not_trained_on(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with writing(path, {}) as directory:
        write_dataset(directory, labelled(SPEC))
    chunk = next((store_of(path) / "image/c").rglob("0"))
    while chunk.is_dir():
        chunk = next(chunk.iterdir())
    chunk.write_bytes(chunk.read_bytes()[:-1] + b"\x00\x01")
    with pytest.raises(ManifestError, match=r"a\.zarr: altered"):
        read_task(path, CPU)

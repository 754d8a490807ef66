"""A published set becomes a labelled data set in the split and normalisation of the papers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr

from data.vision.archives import SMALL, Small, cifar10
from data.vision.sites import Site
from phasezoo.data.archive import ArchiveError
from phasezoo.data.download import DownloadError
from phasezoo.data.labelled import labelled
from phasezoo.data.task import task_from
from phasezoo.data.vision import sets
from phasezoo.data.vision.files import MIRROR
from phasezoo.spec import published
from phasezoo.spec.jobs import DataJob
from phasezoo.spec.label_noise import LabelNoise
from phasezoo.spec.published import Published
from phasezoo.steps.data import data as data_step
from phasezoo.store.dataset import read_task
from phasezoo.vocabulary import Split

CPU = torch.device("cpu")


class Shelf:
    """A server with the small sets, which stand in for the published ones."""

    def __init__(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        self.site, self._monkeypatch = site, monkeypatch

    def put(self, name: str, small: Small) -> Small:
        self.site.files |= small.files
        about = replace(sets.SETS[name], files=small.table(self.site.folder))
        self._monkeypatch.setitem(sets.SETS, name, about)
        self._monkeypatch.setitem(published.SETS, name, small.numbers)
        return small


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    monkeypatch.setenv("PHASEZOO_CACHE", str(tmp_path / "kept"))
    monkeypatch.delenv(MIRROR, raising=False)
    with Site({}) as site:
        yield Shelf(site, monkeypatch)


def made(name: str, **changes: Any) -> xr.Dataset:
    return labelled(Published.model_validate({"source": name, "recipe": 1} | changes))


def part(data: xr.Dataset, split: Split) -> xr.Dataset:
    return data.isel(sample=data["split"].values == split)


@pytest.mark.parametrize("name", list(SMALL))
def test_samples_and_split_are_those_of_the_authors(name: str, shelf: Shelf) -> None:
    small = shelf.put(name, SMALL[name]())
    data = made(name)
    train, test = small.numbers.train, small.numbers.test
    assert data["split"].values.tolist() == [Split.TRAIN] * train + [Split.TEST] * test
    assert data["sample"].values.tolist() == list(range(train + test))
    assert data["label"].values.tolist() == small.labels.tolist()
    assert data["image"].dtype == np.uint8
    lost = 2 if name == "tiny-imagenet" else 0
    assert np.abs(data["image"].values.astype(int) - small.images).max() <= lost
    assert data.attrs["classes"].split() == list(small.classes)
    assert data.attrs["license"] == sets.SETS[name].licence


NORMALISATION = {  # of images from 0 to 1: the training scripts of arXiv 2504.18072
    "cifar10": ([125.3 / 255, 123.0 / 255, 113.9 / 255], [63.0 / 255, 62.1 / 255, 66.7 / 255]),
    "cifar100": ([0.5071, 0.4867, 0.4408], [0.2675, 0.2565, 0.2761]),
    "svhn": ([0.4377, 0.4438, 0.4728], [0.198, 0.201, 0.197]),
    "tiny-imagenet": ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
}


@pytest.mark.parametrize("name", list(NORMALISATION))
def test_inputs_are_normalised_as_published(name: str, shelf: Shelf) -> None:
    shelf.put(name, SMALL[name]())
    data = made(name)
    task = task_from(data, name, CPU)
    mean, deviation = (torch.tensor(n).reshape(3, 1, 1) for n in NORMALISATION[name])
    expected = (torch.from_numpy(data["image"].values).double() / 255 - mean) / deviation
    found = torch.cat([task.train_inputs, task.test_inputs]).double()
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(task.black.double(), (-mean / deviation).flatten().double())


@pytest.mark.parametrize("name", ["mnist", "stl10"])
def test_what_has_no_published_normalisation_has_that_of_its_training_images(
    name: str, shelf: Shelf
) -> None:
    small = shelf.put(name, SMALL[name]())
    data = made(name)
    pixels = small.images[: small.numbers.train].astype(float)
    np.testing.assert_allclose(data["mean"], pixels.mean((0, 2, 3)), rtol=1e-6)
    np.testing.assert_allclose(data["standard_deviation"], pixels.std((0, 2, 3)), rtol=1e-6)


def test_keeping_few_takes_from_the_training_set_only(shelf: Shelf) -> None:
    shelf.put("cifar10", cifar10())
    few, whole = made("cifar10", keep=23), made("cifar10")
    assert part(few, Split.TRAIN).sizes["sample"] == 23
    assert set(part(few, Split.TRAIN)["sample"].values) < set(range(35))
    assert set(part(few, Split.TRAIN)["label"].values) == set(range(10))
    for name in ("sample", "image", "label"):
        assert np.array_equal(part(few, Split.TEST)[name], part(whole, Split.TEST)[name])
    again = made("cifar10", keep=23)
    assert few.identical(again)
    images = whole["image"].sel(sample=few["sample"]).values
    assert np.array_equal(few["image"], images)


def test_disturbances_are_those_of_other_sources(shelf: Shelf) -> None:
    small = shelf.put("cifar10", cifar10())
    noisy = made("cifar10", label_noise=LabelNoise(fraction=0.2, seed=3).model_dump())
    changed = noisy["given_label"].values != small.labels
    assert changed[:35].sum() == 7
    assert not changed[35:].any()
    turned = made("cifar10", rotation=180)["image"].values
    assert np.array_equal(turned, small.images[:, :, ::-1, ::-1])


def test_the_step_writes_a_set_that_training_reads(shelf: Shelf, tmp_path: Path) -> None:
    small = shelf.put("cifar10", cifar10())
    job = DataJob(name="c10", spec=Published(source="cifar10", recipe=1))
    data_step(job, tmp_path / "c10.json")
    task = read_task(tmp_path / "c10.json", CPU)
    assert task.train_labels.tolist() == small.labels[:35].tolist()
    assert (task.classes, task.shape) == (10, (3, 5, 7))
    found = task.train_inputs * torch.tensor([63.0, 62.1, 66.7]).reshape(3, 1, 1)
    found += torch.tensor([125.3, 123.0, 113.9]).reshape(3, 1, 1)
    assert np.array_equal(found.round().numpy(), small.images[:35])


def test_what_is_in_the_archive_is_refused_with_the_name_of_the_set(shelf: Shelf) -> None:
    shelf.put("cifar10", cifar10(lambda members: members.update(test_batch=b"no")))
    with pytest.raises(
        ArchiveError, match=r"^cifar10: test_batch: got .*; allowed: a pickle of arr"
    ):
        made("cifar10")


def test_a_file_with_another_checksum_is_never_decoded(shelf: Shelf, tmp_path: Path) -> None:
    small = shelf.put("cifar10", cifar10())
    shelf.site.files["cifar-10-python.tar.gz"] = small.files["cifar-10-python.tar.gz"] + b"\0"
    with pytest.raises(DownloadError, match=r"gz: got md5 [0-9a-f]{32}; allowed: a file there, or"):
        made("cifar10")
    assert [path for path in (tmp_path / "kept").iterdir() if path.suffix != ".lock"] == []


def test_a_job_of_a_published_set_is_told_in_a_line() -> None:
    job = DataJob(name="c10", spec=Published(source="cifar10", recipe=1))
    told = job.model_dump_json()
    assert told == (
        '{"name":"c10","spec":{"source":"cifar10","recipe":1,"keep":null,"rotation":0,'
        '"label_noise":null}}'
    )
    assert DataJob.model_validate_json(told) == job

"""A data set that somebody brings is used as it is, or refused with the array and the rule."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from data.server import Server, status, whole
from phasezoo.data.labelled import labelled
from phasezoo.data.npz import ArchiveError, read_npz
from phasezoo.data.source import load_source
from phasezoo.spec.data import Npz
from phasezoo.spec.jobs import DataJob
from phasezoo.spec.label_noise import LabelNoise
from phasezoo.vocabulary import Split

URL = "https://example.org/sets/shapes.npz"
SAMPLES, CLASSES = 60, 4
LABELS = np.arange(SAMPLES) % CLASSES
IMAGES = np.random.default_rng(0).integers(0, 200, (SAMPLES, 3, 6, 5), dtype=np.uint8)


def packed(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


GOOD = packed(images=IMAGES, labels=LABELS)


def spec_of(content: bytes, url: str = URL, **changes: Any) -> Npz:
    given: dict[str, Any] = {"source": "npz", "recipe": 1, "train": 40, "split_seed": 0}
    given |= {"url": url, "sha256": hashlib.sha256(content).hexdigest()}
    return Npz.model_validate(given | changes)


def read(path: Path, content: bytes, **changes: Any) -> tuple[np.ndarray, np.ndarray]:
    (path / "set.npz").write_bytes(content)
    return read_npz(path / "set.npz", spec_of(content, **changes))


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.int64, np.uint64, np.dtype(">i4")])
def test_integers_of_any_kind_are_labels(tmp_path: Path, kind: Any) -> None:
    images, labels = read(tmp_path, packed(images=IMAGES, labels=LABELS.astype(kind)))
    assert labels.dtype == np.int64
    assert np.array_equal(labels, LABELS)
    assert np.array_equal(images, IMAGES)


def test_images_without_channels_have_one(tmp_path: Path) -> None:
    images, _ = read(tmp_path, packed(images=IMAGES[:, 0], labels=LABELS))
    assert np.array_equal(images, IMAGES[:, :1])


def test_what_else_lies_in_the_archive_is_left_alone(tmp_path: Path) -> None:
    other = np.array([{"code": "never unpickled"}], dtype=object)
    images, _ = read(tmp_path, packed(images=IMAGES, labels=LABELS, other=other))
    assert np.array_equal(images, IMAGES)


class Trap:
    """What runs when it is unpickled."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("sprung",)


def wrong(label: str, got: str, allowed: str, content: Any = None, **changes: Any) -> Any:
    """One case: an archive of these arrays or bytes is refused so."""
    if content is None:
        content = packed(**{"images": IMAGES, "labels": LABELS} | changes)
    return pytest.param(content, got, allowed, id=label)


ROOM = LABELS.astype(np.int64)
WRONG = [
    wrong("no images", "images: got no such array", "labels, data",
          packed(labels=LABELS, data=IMAGES)),
    wrong("no labels", "labels: got no such array", "images", packed(images=IMAGES)),
    wrong("nothing", "images: got no such array", "nothing", packed()),
    wrong("images as numbers", f"images: got float32 [{SAMPLES}, 3, 6, 5]", "uint8 [N, C, H, W]",
          images=IMAGES.astype(np.float32)),
    wrong("flat images", f"images: got uint8 [{SAMPLES}, 90]", "or [N, H, W]",
          images=IMAGES.reshape(SAMPLES, -1)),
    wrong("images of no size", f"images: got uint8 [{SAMPLES}, 0, 5]", "[N, H, W]",
          images=IMAGES[:, 0, :0]),
    wrong("no image", "images: got uint8 [0, 3, 6, 5]", "[N, H, W]",
          images=IMAGES[:0], labels=LABELS[:0]),
    wrong("dark channel", "images: got channel 1 of one value everywhere", "channels that vary",
          images=IMAGES * np.array([1, 0, 1], dtype=np.uint8)[:, None, None]),
    wrong("labels as numbers", f"labels: got float64 [{SAMPLES}]", "integers [N]",
          labels=LABELS.astype(float)),
    wrong("labels as truth values", f"labels: got bool [{SAMPLES}]", "integers [N]",
          labels=LABELS > 1),
    wrong("labels in a column", f"labels: got int64 [{SAMPLES}, 1]", "integers [N]",
          labels=ROOM[:, None]),
    wrong("one label", "labels: got int64 []", "integers [N]", labels=np.array(3)),
    wrong("negative label", "labels: got -1", "class numbers from 0", labels=ROOM - 1),
    wrong("huge label", "labels: got 40000", "to 32766", labels=np.where(ROOM == 3, 40000, ROOM)),
    wrong("label beyond int64", f"labels: got {2**64 - 1}", "to 32766",
          labels=np.where(LABELS == 3, np.uint64(2**64 - 1), LABELS.astype(np.uint64))),
    wrong("too few labels", f"labels: got {SAMPLES - 1} of them", f"{SAMPLES}, one for each",
          labels=ROOM[1:]),
    wrong("missing class", "labels: got 0 of class 2", "each class from 0 to 4",
          labels=ROOM + (ROOM > 1)),
    wrong("lonely class", "labels: got 2 of class 4", "three or more of each class from 0 to 4",
          labels=np.where(np.arange(SAMPLES) % 40 == 7, 4, ROOM)),
    wrong("one class", "labels: got class 0 only", "two classes", labels=ROOM * 0),
    wrong("pickled labels", "the file: got Object arrays cannot be loaded", "without pickled",
          labels=np.array([Trap()] * SAMPLES, dtype=object)),
    wrong("text", "the file: got ", "a NumPy archive", b"<html>not found</html>"),
    wrong("empty file", "the file: got ", "a NumPy archive", b""),
    wrong("half an archive", "the file: got ", "a NumPy archive", GOOD[: len(GOOD) // 2]),
    wrong("rotten archive", "the file: got ", "a NumPy archive",
          GOOD[:300] + bytes(200) + GOOD[500:]),
]  # fmt: skip


@pytest.mark.parametrize(("content", "got", "allowed"), WRONG)
def test_a_wrong_archive_is_refused_by_array_value_and_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, got: str, allowed: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArchiveError) as refusal:
        read(tmp_path, content)
    (line,) = str(refusal.value).splitlines()
    assert line.startswith(f"{URL}: {got}")
    assert allowed in line.split("; allowed: ")[1]
    assert not Path("sprung").exists()


def test_a_single_array_is_no_archive(tmp_path: Path) -> None:
    file = io.BytesIO()
    np.save(file, IMAGES)
    with pytest.raises(ArchiveError, match=r"the file: got a single array; allowed: a NumPy arch"):
        read(tmp_path, file.getvalue())


@pytest.mark.parametrize(
    ("train", "keep", "message"),
    [
        (3, None, r"train: got 3; allowed: 4 to 56 of the 60 samples, so that each class is"),
        (57, None, r"train: got 57; allowed: 4 to 56 "),
        (1000, None, r"train: got 1000; allowed: 4 to 56 "),
        (40, 3, r"keep: got 3; allowed: 4 to 36, so that each class is on either side; or null"),
        (40, 37, r"keep: got 37; allowed: 4 to 36, "),
    ],
)
def test_a_split_without_room_for_each_class_is_refused(
    tmp_path: Path, train: int, keep: int | None, message: str
) -> None:
    with pytest.raises(ArchiveError, match=rf"^{URL}: {message}"):
        read(tmp_path, GOOD, train=train, keep=keep)


@pytest.mark.parametrize("smallest", [3, 4, 5])
def test_every_split_that_is_allowed_has_each_class_on_either_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, smallest: int
) -> None:
    labels = np.repeat([0, 1, 2], [smallest, 13, 21])  # of unequal classes
    content = packed(images=IMAGES[: len(labels)], labels=labels)
    tried = 0
    with Server(whole(content)) as server:
        monkeypatch.setenv("PHASEZOO_CACHE", str(tmp_path))
        for train in range(2, len(labels) - 1):
            spec = spec_of(content, server.url, train=train)
            try:
                data = labelled(spec)
            except ArchiveError:
                continue
            tried += 1
            sides = [set(data["label"].values[data["split"].values == side]) for side in Split]
            assert sides == [{0, 1, 2}] * 2
    assert tried > 0
    assert server.asked == [None]


def test_a_source_follows_from_the_arrays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHASEZOO_CACHE", str(tmp_path / "cache"))
    with Server(whole(GOOD)) as server:
        source = load_source(spec_of(GOOD, server.url))
    assert source.classes == ("0", "1", "2", "3")
    assert source.brightest == IMAGES.max() == 199
    assert source.references == server.url
    assert np.array_equal(source.images, IMAGES)
    assert [path.suffix for path in (tmp_path / "cache").iterdir()].count(".npz") == 1


def step(folder: Path, spec: Npz, **environment: str) -> subprocess.CompletedProcess[str]:
    """The rule's own command, in a project folder."""
    job = DataJob(name="shapes", spec=spec).model_dump_json()
    command = ["step", "data", "--job", job, "--output", "data/shapes.json"]
    return subprocess.run(
        [sys.executable, "-m", "phasezoo", *command],
        cwd=folder,
        env={k: v for k, v in os.environ.items() if k != "PHASEZOO_CACHE"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_step_makes_a_data_set_of_an_archive(tmp_path: Path) -> None:
    with Server(status(503), whole(GOOD)) as server:
        noise = LabelNoise(fraction=0.25, seed=3)
        done = step(tmp_path, spec_of(GOOD, server.url, label_noise=noise, rotation=20))
    assert done.returncode == 0, done.stderr
    assert f"{server.url}: all " in done.stderr
    assert list((tmp_path / ".phasezoo/downloads").glob("*-my_set.npz"))
    data = xr.open_zarr(tmp_path / "data/shapes.zarr")
    assert dict(data.sizes) == {"sample": SAMPLES, "channel": 3, "row": 6, "column": 5}
    assert np.array_equal(data["label"].values, LABELS[data["sample"].values])
    train = data["split"].values == Split.TRAIN
    assert train.sum() == 40
    assert np.bincount(data["label"].values[train]).tolist() == [10] * 4
    assert (data["given_label"].values != data["label"].values)[train].sum() == 10
    assert data.attrs["classes"] == "0 1 2 3"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sha256": "0" * 64}, "got sha256 "),
        ({"train": 59}, "train: got 59; allowed: 4 to 56 of the 60 samples"),
    ],
)
def test_the_step_refuses_in_one_line_and_makes_nothing(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with Server(whole(GOOD)) as server:
        done = step(tmp_path, spec_of(GOOD, server.url, **changes))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"{server.url}: {message}")
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "data").iterdir()) == []

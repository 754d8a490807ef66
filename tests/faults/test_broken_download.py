"""Downloads that break off, stall or bring other bytes, through the workflow."""

from __future__ import annotations

import hashlib
import io
import re
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import zarr
from sklearn.datasets import load_digits

from data.server import Answer, Server, broken, ranged, stalled, status
from faults.conftest import Told
from faults.study import Study

pytestmark = [pytest.mark.workflow]


def archive() -> bytes:
    """The digits, as somebody might offer them."""
    bunch, file = load_digits(), io.BytesIO()
    np.savez(file, images=bunch.images.astype(np.uint8), labels=bunch.target.astype(np.int64))
    return file.getvalue()


CONTENT = archive()
OTHER = bytes([CONTENT[0] ^ 1]) + CONTENT[1:]
ENOUGH = 100_000  # bytes; the first of two blocks is here
RESUMED = f"bytes={2**16}-"


def study_of(server: Server, spec: dict, root: Path) -> Study:
    """The study on the archive of a server."""
    spec = deepcopy(spec)
    where = {"source": "npz", "url": server.url, "sha256": hashlib.sha256(CONTENT).hexdigest()}
    for dataset in spec["data"].values():
        dataset |= where
    return Study(Study.create(root, spec).root)


def log_of(study: Study) -> str:
    return "".join(path.read_text() for path in (study.root / "logs/data").glob("*.log"))


def is_good(study: Study) -> bool:
    """Whether every image is the one of its number in the archive."""
    image, sample = (
        zarr.open_array(study.root / "data/digits.zarr" / n) for n in ("image", "sample")
    )
    images = load_digits().images[np.asarray(sample[:])].astype(np.uint8)
    return bool((np.asarray(image[:])[:, 0] == images).all())


@pytest.mark.long
def test_a_transfer_that_stalls_is_resumed(spec: dict, tmp_path: Path, told: Told) -> None:
    with Server(stalled(CONTENT, ENOUGH), ranged(CONTENT)) as server:
        study = study_of(server, spec, tmp_path / "study")
        study.make()
    assert server.asked[:2] == [None, RESUMED]
    line = re.search(r"^.*nothing for 30 s at.*$", log_of(study), re.MULTILINE)
    assert line, log_of(study)
    assert is_good(study)
    assert study.verified()[0] == 0
    told("download that stalls", "resumed", line[0][-60:], 0)


@pytest.mark.long
@pytest.mark.parametrize(
    ("answer", "asked", "said"),
    [
        (ranged(OTHER), 1, "got sha256 "),
        (status(404), 1, "got HTTP 404"),
        (broken(CONTENT, 0), 6, "times in a row"),
    ],
    ids=["other bytes", "not there", "nothing comes"],
)
def test_a_download_that_cannot_be_used_is_named_and_resumed_later(
    spec: dict, tmp_path: Path, told: Told, answer: Answer, asked: int, said: str
) -> None:
    with Server(*[answer] * asked, broken(CONTENT, ENOUGH), ranged(CONTENT)) as server:
        study = study_of(server, spec, tmp_path / "study")
        shown = study.fails("--cores", "1", "--until", "data")
        line = re.search(rf"^{re.escape(server.url)}: .*{said}.*; allowed: .*$", shown, re.M)
        assert line, shown
        assert "Traceback" not in shown
        study.make()
    assert server.asked[asked : asked + 2] == [None, RESUMED]
    assert "a transfer that broke off at" in log_of(study)
    assert is_good(study)
    assert study.verified()[0] == 0
    told("download that cannot be used", "failed, finished", line[0][:120], 0)

"""STL-10: raw bytes in a tar.gz (Coates, Ng and Lee 2011)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from phasezoo.data.archive import readable, tar_members, wrong
from phasezoo.data.vision.decoded import Decoded, Part, assembled
from phasezoo.spec.published import Numbers

_FOLDER = "stl10_binary"


def stl10(files: Mapping[str, Path], numbers: Numbers) -> Decoded:
    """The labelled images; those without labels are passed over.

    Raises:
        ArchiveError: the archive does not hold them as they are published.
    """
    names = [f"{split}_{kind}.bin" for split in ("train", "test") for kind in "Xy"]
    path = files["stl10_binary.tar.gz"]
    members = tar_members(path, [f"{_FOLDER}/{name}" for name in (*names, "class_names.txt")])
    with readable("class_names.txt", "names of classes, one a line"):
        classes = members[f"{_FOLDER}/class_names.txt"].decode("ascii").split()

    def part(split: str) -> Iterator[Part]:
        images, labels = (members.pop(f"{_FOLDER}/{split}_{kind}.bin") for kind in "Xy")
        yield _part(f"{split}_X.bin", images, labels, numbers)

    return assembled(part("train"), part("test"), classes, numbers)


def _part(name: str, images: bytes, labels: bytes, numbers: Numbers) -> Part:
    """Pixels lie channel after channel and column after column; labels count from 1."""
    channels, rows, columns = numbers.shape
    if len(images) % (channels * rows * columns):
        got = f"{len(images)} bytes"
        raise wrong(name, got, f"whole images of {channels * rows * columns} bytes")
    planes = np.frombuffer(images, np.uint8).reshape(-1, channels, columns, rows)
    return Part(name, planes.transpose(0, 1, 3, 2), np.frombuffer(labels, np.uint8) - np.int64(1))

"""TinyImageNet: small JPEGs in a zip (Stanford CS231n, from Russakovsky et al. 2015)."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phasezoo.data.archive import UNREADABLE, open_zip, readable, wrong
from phasezoo.data.vision.decoded import Decoded, Part, assembled
from phasezoo.spec.published import Numbers

_ROOT = "tiny-imagenet-200"
_CLASSES, _TEST = f"{_ROOT}/wnids.txt", f"{_ROOT}/val/val_annotations.txt"
_PROBLEMS = (*UNREADABLE, Image.DecompressionBombError, SyntaxError, TypeError, struct.error)


def tiny_imagenet(files: Mapping[str, Path], numbers: Numbers) -> Decoded:
    """Training images class by class as `wnids.txt` names them, then the validation images.

    Grey images get three equal channels.

    Raises:
        ArchiveError: the archive does not hold them as they are published.
    """
    with open_zip(files["tiny-imagenet-200.zip"], [_CLASSES, _TEST]) as archive:
        classes = _lines(archive, _CLASSES)
        train = _train(archive, classes, numbers)
        return assembled(train, _test(archive, classes, numbers), classes, numbers)


def _train(archive: ZipFile, classes: Sequence[str], numbers: Numbers) -> Iterator[Part]:
    """One part for each class: all images in its folder, in the order of their numbers."""
    members: dict[str, list[str]] = {name: [] for name in classes}
    for member in archive.namelist():
        path = PurePosixPath(member)
        if path.suffix == ".JPEG" and path.parts[:2] == (_ROOT, "train"):
            name = path.parts[2]
            if name not in members:
                raise wrong(member, f"the class {name}", "those of wnids.txt")
            members[name].append(member)
    for label, (name, found) in enumerate(members.items()):
        ordered = sorted(found, key=lambda member: (len(member), member))  # 9 before 10
        images = _images(archive, ordered, numbers)
        yield Part(f"train/{name}", images, np.full(len(images), label, np.int64))


def _test(archive: ZipFile, classes: Sequence[str], numbers: Numbers) -> Iterator[Part]:
    """The validation images, in the order of their annotations: file, class, a box."""
    rows = [line.split("\t")[:2] for line in _lines(archive, _TEST)]
    for row in rows:
        if len(row) != 2 or row[1] not in classes:
            raise wrong(_TEST, " ".join(row), "a file and a class of wnids.txt in each line")
    members = [f"{_ROOT}/val/images/{file}" for file, _ in rows]
    labels = np.array([classes.index(name) for _, name in rows], np.int64)
    yield Part("val/images", _images(archive, members, numbers), labels)


def _lines(archive: ZipFile, member: str) -> list[str]:
    with readable(member, "lines of text"):
        return archive.read(member).decode("ascii").splitlines()


def _images(archive: ZipFile, members: Sequence[str], numbers: Numbers) -> NDArray[np.uint8]:
    """Images [N, C, H, W] of some members."""
    channels, rows, columns = numbers.shape
    found = np.empty((len(members), rows, columns, channels), np.uint8)
    for place, member in zip(found, members, strict=True):
        with readable(member, "a JPEG that is whole", (*_PROBLEMS, KeyError)):
            place[:] = _pixels(member, archive.read(member), (columns, rows))
    return found.transpose(0, 3, 1, 2)


def _pixels(member: str, content: bytes, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A JPEG as [H, W, 3]; nothing is decoded of one that is not of this width and height."""
    with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
        if image.size != size:
            raise wrong(member, "{} × {} pixels".format(*image.size), "{} × {}".format(*size))
        return np.asarray(image.convert("RGB"))

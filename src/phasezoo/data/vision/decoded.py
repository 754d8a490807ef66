"""Images and labels from the parts of an archive, checked against what the set is known to be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasezoo.data.archive import wrong
from phasezoo.spec.published import Numbers


@dataclass(frozen=True)
class Part:
    """Some samples of a set: images [N, C, H, W] and labels [N], of a place in an archive."""

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


@dataclass(frozen=True)
class Decoded:
    """A whole set, training samples first: images [N, C, H, W], labels [N], names of classes."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]


def assembled(
    train: Iterable[Part], test: Iterable[Part], classes: Sequence[str], numbers: Numbers
) -> Decoded:
    """The parts of a set as one.

    Parts are asked for one after the other, so that only one is in memory beside the whole.

    Raises:
        ArchiveError: the number of samples, the shape of an image, a label or the classes are not
            those of the set; names the part.
    """
    samples = numbers.train + numbers.test
    images = np.empty((samples, *numbers.shape), np.uint8)
    labels = np.empty(samples, np.int64)
    names = _checked_classes(classes, numbers)
    for name, parts, begin, size in (
        ("training set", train, 0, numbers.train),
        ("test set", test, numbers.train, numbers.test),
    ):
        share = slice(begin, begin + size)
        _fill(name, parts, images[share], labels[share], len(names))
        missing = np.setdiff1d(np.arange(len(names)), labels[share])
        if missing.size:
            raise wrong(name, f"nothing of the class {names[missing[0]]}", "every class")
    return Decoded(images, labels, names)


def _fill(
    name: str,
    parts: Iterable[Part],
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    classes: int,
) -> None:
    """Write parts into `images` and `labels`, which they must fill."""
    have = 0
    for part in parts:
        _check(part, images.shape[1:], classes)
        end = have + len(part.labels)
        if end <= len(labels):
            images[have:end], labels[have:end] = part.images, part.labels
        have = end
    if have != len(labels):
        raise wrong(name, f"{have} samples", str(len(labels)))


def _check(part: Part, shape: tuple[int, ...], classes: int) -> None:
    images, labels = part.images, part.labels
    if images.dtype != np.uint8 or images.shape[1:] != shape:
        got = f"images of {images.dtype} {list(images.shape[1:])}"
        raise wrong(part.name, got, f"images of uint8 {list(shape)}")
    if len(images) != len(labels):
        got = f"{len(labels)} labels of {len(images)} images"
        raise wrong(part.name, got, "one for each image")
    for extreme in (labels.min(), labels.max()) if labels.size else ():
        if not 0 <= extreme < classes:
            raise wrong(part.name, f"label {extreme}", f"0 to {classes - 1}")


def _checked_classes(classes: Sequence[str], numbers: Numbers) -> tuple[str, ...]:
    if len(set(classes)) != len(classes) or len(classes) != numbers.classes:
        got = f"{len(set(classes))} different names among {len(classes)}"
        raise wrong("classes", got, f"{numbers.classes} names, each once")
    for name in classes:
        if not name or name.split() != [name]:
            raise wrong("classes", repr(name), "names without spaces")
    return tuple(classes)

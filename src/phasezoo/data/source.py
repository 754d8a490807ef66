"""Raw samples of a source, before any split or disturbance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from sklearn import datasets as sklearn_datasets

from phasezoo.data.archive import ArchiveError
from phasezoo.data.download import download_folder, fetch
from phasezoo.data.letters import CAPITALS, FONTS, checksums, drawn
from phasezoo.data.npz import read_npz
from phasezoo.data.vision.files import bring
from phasezoo.data.vision.sets import SETS, Normalisation
from phasezoo.spec.data import Digits, Images, Npz
from phasezoo.spec.letters import Letters
from phasezoo.spec.published import Published


@dataclass(frozen=True)
class Source:
    """Images and labels as their authors publish them.

    Attributes:
        images: [N, C, H, W], whole numbers from 0 to `brightest`.
        labels: [N], class numbers.
        train: training samples, which come first, where the authors split the set.
        normalisation: the published one, where there is one.
        files: checksums (sha256) of files of other packages that the images are made from.
    """

    title: str
    references: str
    licence: str
    classes: tuple[str, ...]
    brightest: int
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    train: int | None = None
    normalisation: Normalisation | None = None
    files: Mapping[str, str] = field(default_factory=dict)


def digits(_: Digits) -> Source:
    """The handwritten digits that travel with scikit-learn: 1,797 grey images of 8 x 8 pixels."""
    bunch = sklearn_datasets.load_digits()
    return Source(
        title="Optical recognition of handwritten digits",
        references="Alpaydin and Kaynak 1998, doi:10.24432/C50P49",
        licence="CC BY 4.0",
        classes=tuple(str(name) for name in bunch.target_names),
        brightest=16,
        images=bunch.images.astype(np.uint8)[:, None],
        labels=bunch.target.astype(np.int64),
    )


def letters(spec: Letters) -> Source:
    """Capitals drawn from the DejaVu fonts that travel with Matplotlib."""
    images, labels = drawn(spec)
    return Source(
        title=f"{spec.letters} capitals in {len(FONTS)} faces of DejaVu",
        references="DejaVu fonts, https://dejavu-fonts.github.io",
        licence="Bitstream Vera licence; the changes of DejaVu are in the public domain",
        classes=tuple(CAPITALS[: spec.letters]),
        brightest=spec.grey,
        images=images,
        labels=labels,
        files=checksums(),
    )


def npz(spec: Npz) -> Source:
    """The images of a NumPy archive, downloaded unless it is kept; classes are numbers.

    Raises:
        DownloadError: there is no file with the checksum of the spec.
        ArchiveError: the file does not hold the images and labels that the spec needs.
    """
    images, labels = read_npz(fetch(spec.url, spec.sha256, download_folder()), spec)
    return Source(
        title=f"Images of {PurePosixPath(urlsplit(spec.url).path).name}",
        references=spec.url,
        licence="not stated",
        classes=tuple(str(number) for number in range(labels.max() + 1)),
        brightest=int(images.max()),
        images=images,
        labels=labels,
    )


def published(spec: Published) -> Source:
    """A well-known image set, downloaded unless it is kept.

    Raises:
        DownloadError: a file of it cannot be had.
        ArchiveError: a file is not what it is known to be.
    """
    about = SETS[spec.source]
    files = bring(spec.source, about.files, download_folder())
    try:
        found = about.decode(files, spec.numbers)
    except ArchiveError as problem:
        raise ArchiveError(f"{spec.source}: {problem}") from None
    return Source(
        title=about.title,
        references=about.references,
        licence=about.licence,
        classes=found.classes,
        brightest=255,
        images=found.images,
        labels=found.labels,
        train=spec.numbers.train,
        normalisation=about.normalisation,
    )


# by name; each is called with the spec of its source
SOURCES: dict[str, Callable[[Any], Source]] = {
    "digits": digits,
    "letters": letters,
    "npz": npz,
    **dict.fromkeys(SETS, published),
}
_TURNED_AT_ONCE = 1000  # images; bounds memory, changes nothing else


def load_source(spec: Images) -> Source:
    """The raw samples that a spec asks for, rotated as it says."""
    source = SOURCES[spec.source](spec)
    return replace(source, images=rotated(source, spec.rotation)) if spec.rotation else source


def rotated(source: Source, degrees: int) -> NDArray[np.uint8]:
    """Images turned counter-clockwise about their centre, interpolated linearly, black outside."""
    turned = np.empty_like(source.images)
    for begin in range(0, len(turned), _TURNED_AT_ONCE):
        share = slice(begin, begin + _TURNED_AT_ONCE)
        values = ndimage.rotate(
            source.images[share].astype(np.float64), degrees, axes=(3, 2), reshape=False, order=1
        )
        turned[share] = np.clip(np.rint(values), 0, source.brightest)
    return turned

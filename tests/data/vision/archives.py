"""The published image sets in small: every file in its real format, written here."""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image
from scipy.io import savemat

from phasezoo.data.vision.files import File
from phasezoo.spec.published import Numbers

DIGITS = tuple(str(digit) for digit in range(10))


@dataclass(frozen=True)
class Small:
    """A set of a few samples, and the files that hold it."""

    numbers: Numbers
    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    files: Mapping[str, bytes]

    def table(self, *folders: str) -> tuple[File, ...]:
        """The files as they are declared: with sizes, checksums and addresses."""
        return tuple(
            File(name, len(content), f"md5:{hashlib.md5(content).hexdigest()}", folders)
            for name, content in self.files.items()
        )

    def laid_in(self, folder: Path) -> dict[str, Path]:
        """The files on the disk."""
        for name, content in self.files.items():
            (folder / name).write_bytes(content)
        return {name: folder / name for name in self.files}

    def with_file(self, name: str, content: bytes) -> Small:
        return replace(self, files={**self.files, name: content})


def samples(numbers: Numbers, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Random images [N, C, H, W] and shuffled labels [N], each class on either side."""
    random = np.random.default_rng(seed)
    sizes = numbers.train, numbers.test
    labels = [random.permutation(np.arange(size) % numbers.classes) for size in sizes]
    images = random.integers(0, 256, (sum(sizes), *numbers.shape), dtype=np.uint8)
    return images, np.concatenate(labels)


def tarred(members: Mapping[str, bytes], *others: tarfile.TarInfo) -> bytes:
    """A tar.gz of files, and of whatever else."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in others:
            archive.addfile(info)
    return file.getvalue()


def zipped(members: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


class _Python2(pickle._Pickler):
    """Pickles as Python 2 wrote them: text and bytes are one type, and numpy has a `core`."""

    dispatch: ClassVar[dict[type, Any]] = dict(pickle._Pickler.dispatch)

    def save_string(self, text: str | bytes) -> None:
        content = text.encode("latin1") if isinstance(text, str) else text
        size = len(content)
        head = b"U" + bytes([size]) if size < 256 else b"T" + struct.pack("<i", size)
        self.write(head + content)
        self.memoize(text)

    dispatch[str] = dispatch[bytes] = save_string

    def save_global(self, what: Any, name: str | None = None) -> None:
        if getattr(what, "__name__", "") == "_reconstruct":
            self.write(b"cnumpy.core.multiarray\n_reconstruct\n")
            self.memoize(what)
        else:
            super().save_global(what, name)


def pickled(what: Any) -> bytes:
    file = io.BytesIO()
    _Python2(file, protocol=2).dump(what)
    return file.getvalue()


def cifar_batch(images: np.ndarray, labels: np.ndarray, key: str, name: str = "a batch") -> bytes:
    batch = {
        "batch_label": name,
        key: [int(label) for label in labels],
        "data": images.reshape(len(images), -1),
        "filenames": [f"{number}.png" for number in range(len(images))],
    }
    return pickled(batch)


def cifar10(change: Callable[[dict[str, bytes]], None] = lambda members: None) -> Small:
    numbers = Numbers(35, 11, (3, 5, 7), classes=10, fewest=10)
    images, labels = samples(numbers)
    classes = tuple(f"kind_{number}" for number in range(10))
    members = {"batches.meta": pickled({"label_names": list(classes), "num_vis": 3072})}
    for number in range(1, 6):
        share = slice(7 * number - 7, 7 * number)
        members[f"data_batch_{number}"] = cifar_batch(images[share], labels[share], "labels")
    members["test_batch"] = cifar_batch(images[35:], labels[35:], "labels")
    members["readme.html"] = b"<html></html>"
    change(members)
    archive = tarred({f"cifar-10-batches-py/{name}": content for name, content in members.items()})
    return Small(numbers, images, labels, classes, {"cifar-10-python.tar.gz": archive})


def cifar100() -> Small:
    numbers = Numbers(41, 23, (3, 5, 7), classes=13, fewest=14)
    images, labels = samples(numbers)
    classes = tuple(f"fine_{number}" for number in range(13))
    meta = {"fine_label_names": list(classes), "coarse_label_names": ["coarse"]}
    members = {
        "meta": pickled(meta),
        "train": cifar_batch(images[:41], labels[:41], "fine_labels"),
        "test": cifar_batch(images[41:], labels[41:], "fine_labels"),
    }
    archive = tarred({f"cifar-100-python/{name}": content for name, content in members.items()})
    return Small(numbers, images, labels, classes, {"cifar-100-python.tar.gz": archive})


def saved(**arrays: np.ndarray) -> bytes:
    """A MATLAB file."""
    file = io.BytesIO()
    savemat(file, arrays, do_compression=True)
    return file.getvalue()


def mat(images: np.ndarray, labels: np.ndarray) -> bytes:
    """A MATLAB file of images [N, C, H, W] and labels as they stand in it."""
    return saved(X=images.transpose(2, 3, 1, 0), y=labels[:, None])


def svhn() -> Small:
    numbers = Numbers(31, 17, (3, 5, 7), classes=10, fewest=11)
    images, labels = samples(numbers)
    told = np.where(labels == 0, 10, labels).astype(np.uint8)
    files = {
        "train_32x32.mat": mat(images[:31], told[:31]),
        "test_32x32.mat": mat(images[31:], told[31:]),
    }
    return Small(numbers, images, labels, DIGITS, files)


def idx(array: np.ndarray) -> bytes:
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    values = array.astype(np.uint8).tobytes()
    return gzip.compress(bytes([0, 0, 8, array.ndim]) + sizes + values, mtime=0)


def mnist() -> Small:
    numbers = Numbers(31, 17, (1, 5, 7), classes=10, fewest=11)
    images, labels = samples(numbers)
    files = {
        "train-images-idx3-ubyte.gz": idx(images[:31, 0]),
        "train-labels-idx1-ubyte.gz": idx(labels[:31]),
        "t10k-images-idx3-ubyte.gz": idx(images[31:, 0]),
        "t10k-labels-idx1-ubyte.gz": idx(labels[31:]),
    }
    return Small(numbers, images, labels, DIGITS, files)


def stl10(change: Callable[[dict[str, bytes]], None] = lambda members: None) -> Small:
    numbers = Numbers(31, 17, (3, 5, 7), classes=10, fewest=11)
    images, labels = samples(numbers)
    classes = tuple(f"thing{number}" for number in range(10))
    members = {"class_names.txt": "\n".join(classes).encode(), "unlabeled_X.bin": bytes(105)}
    for name, share in (("train", slice(31)), ("test", slice(31, None))):
        columns_first = images[share].transpose(0, 1, 3, 2)
        members[f"{name}_X.bin"] = columns_first.tobytes()
        members[f"{name}_y.bin"] = (labels[share] + 1).astype(np.uint8).tobytes()
    change(members)
    archive = tarred({f"stl10_binary/{name}": content for name, content in members.items()})
    return Small(numbers, images, labels, classes, {"stl10_binary.tar.gz": archive})


def jpeg(image: np.ndarray) -> bytes:
    """An image [H, W] or [H, W, C] as a JPEG that hardly loses anything of what is smooth."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=100, subsampling=0)
    return file.getvalue()


def tiny_imagenet(change: Callable[[dict[str, bytes]], None] = lambda members: None) -> Small:
    """Three classes, images of one colour each, every fifth of them grey."""
    numbers = Numbers(33, 7, (3, 11, 13), classes=3, fewest=3)
    classes = ("n00000007", "n00000003", "n00000005")  # in the order of the file, not sorted
    random = np.random.default_rng(0)
    colours = random.integers(0, 256, (40, 3), dtype=np.uint8)
    colours[::5] = colours[::5, :1]
    images = np.broadcast_to(colours[:, :, None, None], (40, 3, 11, 13)).copy()
    labels = np.concatenate([np.repeat(np.arange(3), 11), [2, 0, 1, 1, 0, 2, 0]])

    def packed(number: int) -> bytes:
        image = images[number].transpose(1, 2, 0)
        return jpeg(image[:, :, 0] if number % 5 == 0 else image)

    members = {"wnids.txt": "\n".join(classes).encode() + b"\n", "words.txt": b""}
    for number, label in enumerate(labels[:33]):
        name = classes[label]
        members[f"train/{name}/images/{name}_{number % 11}.JPEG"] = packed(number)
        members[f"train/{name}/{name}_boxes.txt"] = b""
    rows = []
    for number in range(33, 40):
        members[f"val/images/val_{number}.JPEG"] = packed(number)
        rows.append(f"val_{number}.JPEG\t{classes[labels[number]]}\t0\t0\t62\t62\n")
    members["val/val_annotations.txt"] = "".join(rows).encode()
    members["test/images/test_0.JPEG"] = packed(0)
    change(members)
    archive = zipped({f"tiny-imagenet-200/{name}": content for name, content in members.items()})
    return Small(numbers, images, labels, classes, {"tiny-imagenet-200.zip": archive})


SMALL: dict[str, Callable[[], Small]] = {
    "mnist": mnist,
    "cifar10": cifar10,
    "cifar100": cifar100,
    "svhn": svhn,
    "tiny-imagenet": tiny_imagenet,
    "stl10": stl10,
}

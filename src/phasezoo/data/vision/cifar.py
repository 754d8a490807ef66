"""CIFAR-10 and CIFAR-100: pickles of Python 2 in a tar.gz (Krizhevsky 2009)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from phasezoo.data.archive import ArchiveError, tar_members, wrong
from phasezoo.data.vision.decoded import Decoded, Part, assembled
from phasezoo.data.vision.pickles import read_pickle
from phasezoo.spec.published import Numbers

_TEN = [f"data_batch_{number}" for number in range(1, 6)]


def cifar10(files: Mapping[str, Path], numbers: Numbers) -> Decoded:
    """Five batches to train on and one to test on, in their order.

    Raises:
        ArchiveError: the archive does not hold them as they are published.
    """
    where = files["cifar-10-python.tar.gz"], "cifar-10-batches-py"
    return _decoded(*where, _TEN, ["test_batch"], "batches.meta", "label", numbers)


def cifar100(files: Mapping[str, Path], numbers: Numbers) -> Decoded:
    """The same with 100 classes, the fine ones.

    Raises:
        ArchiveError: the archive does not hold them as they are published.
    """
    where = files["cifar-100-python.tar.gz"], "cifar-100-python"
    return _decoded(*where, ["train"], ["test"], "meta", "fine_label", numbers)


def _decoded(
    path: Path,
    folder: str,
    train: Sequence[str],
    test: Sequence[str],
    meta: str,
    label: str,
    numbers: Numbers,
) -> Decoded:
    members = tar_members(path, [f"{folder}/{name}" for name in (*train, *test, meta)])

    def parts(names: Sequence[str]) -> Iterator[Part]:
        for name in names:
            yield _part(name, members.pop(f"{folder}/{name}"), f"{label}s", numbers)

    key = f"{label}_names"
    classes = _entry(meta, read_pickle(meta, members[f"{folder}/{meta}"]), key, list)
    return assembled(parts(train), parts(test), [str(name) for name in classes], numbers)


def _part(name: str, content: bytes, key: str, numbers: Numbers) -> Part:
    """One batch: images as rows of red, green and blue planes, labels as a list."""
    batch = read_pickle(name, content)
    rows = _entry(name, batch, "data", np.ndarray)
    labels = np.array(_entry(name, batch, key, list))
    pixels = int(np.prod(numbers.shape))
    if rows.dtype != np.uint8 or rows.ndim != 2 or rows.shape[1] != pixels:
        got = f"data of {rows.dtype} {list(rows.shape)}"
        raise wrong(name, got, f"data of uint8 [N, {pixels}]")
    if labels.dtype.kind != "i" or labels.ndim != 1:
        raise wrong(name, f"{key} of {labels.dtype}", "class numbers")
    return Part(name, rows.reshape(-1, *numbers.shape), labels.astype(np.int64))


def _entry(name: str, batch: Any, key: str, kind: type) -> Any:
    if type(batch) is not dict or type(batch.get(key)) is not kind:
        raise _no_entry(name, key, kind)
    return batch[key]


def _no_entry(name: str, key: str, kind: type) -> ArchiveError:
    return wrong(name, f"no {key} as {kind.__name__}", "a dictionary that has it")

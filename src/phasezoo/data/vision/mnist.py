"""MNIST: arrays in the format IDX, each in a gzip (LeCun et al. 1998)."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phasezoo.data.archive import readable, wrong
from phasezoo.data.vision.decoded import Decoded, Part, assembled
from phasezoo.spec.published import Numbers

_BYTES = 8  # the code of unsigned bytes in an IDX


def mnist(files: Mapping[str, Path], numbers: Numbers) -> Decoded:
    """Handwritten digits, a file of images and one of labels for each split.

    Raises:
        ArchiveError: a file does not hold them as they are published.
    """

    def part(split: str) -> Iterator[Part]:
        images = _idx(files[f"{split}-images-idx3-ubyte.gz"], dimensions=3)
        labels = _idx(files[f"{split}-labels-idx1-ubyte.gz"], dimensions=1)
        yield Part(f"{split}-images", images[:, None], labels.astype(np.int64))

    return assembled(part("train"), part("t10k"), [str(digit) for digit in range(10)], numbers)


def _idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """The array of a file: two zeros, type, number of dimensions, sizes of 4 bytes, values."""
    with readable(path.name, "a gzip that is whole"), gzip.open(path) as file:
        content = file.read()
    begin = 4 + 4 * dimensions
    if len(content) < begin or tuple(content[:4]) != (0, 0, _BYTES, dimensions):
        got = f"a file that begins with {content[:4].hex(' ')}"
        raise wrong(path.name, got, f"an IDX of bytes in {dimensions} dimensions")
    sizes = struct.unpack(f">{dimensions}I", content[4:begin])
    if len(content) - begin != np.prod(sizes, dtype=object):
        got = f"{len(content) - begin} values"
        raise wrong(path.name, got, " × ".join(map(str, sizes)))
    return np.frombuffer(content, np.uint8, offset=begin).reshape(sizes)

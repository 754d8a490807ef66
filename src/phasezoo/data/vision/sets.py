"""The published image sets: files with their published checksums, terms and normalisation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from phasezoo.data.vision.cifar import cifar10, cifar100
from phasezoo.data.vision.decoded import Decoded
from phasezoo.data.vision.files import File
from phasezoo.data.vision.mnist import mnist
from phasezoo.data.vision.stl10 import stl10
from phasezoo.data.vision.svhn import svhn
from phasezoo.data.vision.tiny_imagenet import tiny_imagenet
from phasezoo.spec.published import Numbers


@dataclass(frozen=True)
class Normalisation:
    """Mean and standard deviation of each channel, in raw units: 0 black, 255 white."""

    mean: tuple[float, ...]
    standard_deviation: tuple[float, ...]


@dataclass(frozen=True)
class ImageSet:
    """What is known of a set beside its numbers, and how its files become images."""

    title: str
    references: str
    licence: str
    files: tuple[File, ...]
    decode: Callable[[Mapping[str, Path], Numbers], Decoded]
    normalisation: Normalisation | None = None  # None: that of the training images


def _of_255(mean: tuple[float, ...], deviation: tuple[float, ...]) -> Normalisation:
    """From numbers that are told for images from 0 to 1."""
    return Normalisation(tuple(255 * m for m in mean), tuple(255 * d for d in deviation))


_MNIST = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "http://yann.lecun.com/exdb/mnist/",
)
_TORONTO = ("https://www.cs.toronto.edu/~kriz/",)
_HOUSE_NUMBERS = ("http://ufldl.stanford.edu/housenumbers/",)

# Checksums: those of the CIFAR page, and those that torchvision 0.29 checks; TinyImageNet has
# none of its authors, it is the one that those who use the set give. Normalisation: the numbers
# in the training scripts of arXiv 2504.18072, which takes ImageNet's for TinyImageNet.
SETS: dict[str, ImageSet] = {
    "mnist": ImageSet(
        title="MNIST, handwritten digits",
        references="LeCun et al. 1998, doi:10.1109/5.726791",
        licence="CC BY-SA 3.0",
        files=(
            File("train-images-idx3-ubyte.gz", 9_912_422,
                 "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873", _MNIST),
            File("train-labels-idx1-ubyte.gz", 28_881,
                 "md5:d53e105ee54ea40749a09fcbcd1e9432", _MNIST),
            File("t10k-images-idx3-ubyte.gz", 1_648_877,
                 "md5:9fb629c4189551a2d022fa330f9573f3", _MNIST),
            File("t10k-labels-idx1-ubyte.gz", 4_542,
                 "md5:ec29112dd5afa0611ce80d1b7f02629c", _MNIST),
        ),
        decode=mnist,
    ),
    "cifar10": ImageSet(
        title="CIFAR-10",
        references="Krizhevsky 2009, Learning multiple layers of features from tiny images",
        licence="not stated",
        files=(
            File("cifar-10-python.tar.gz", 170_498_071,
                 "md5:c58f30108f718f92721af3b95e74349a", _TORONTO),
        ),
        decode=cifar10,
        normalisation=Normalisation((125.3, 123.0, 113.9), (63.0, 62.1, 66.7)),
    ),
    "cifar100": ImageSet(
        title="CIFAR-100, fine labels",
        references="Krizhevsky 2009, Learning multiple layers of features from tiny images",
        licence="not stated",
        files=(
            File("cifar-100-python.tar.gz", 169_001_437,
                 "md5:eb9058c3a382ffc7106e4002c42a8d85", _TORONTO),
        ),
        decode=cifar100,
        normalisation=_of_255((0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761)),
    ),
    "svhn": ImageSet(
        title="Street View House Numbers, cropped digits",
        references="Netzer et al. 2011, Reading digits in natural images with unsupervised "
        "feature learning",
        licence="non-commercial use only",
        files=(
            File("train_32x32.mat", 182_040_794,
                 "md5:e26dedcc434d2e4c54c9b2d4a06d8373", _HOUSE_NUMBERS),
            File("test_32x32.mat", 64_275_384,
                 "md5:eb5a983be6a315427106f1b164d9cef3", _HOUSE_NUMBERS),
        ),
        decode=svhn,
        normalisation=_of_255((0.4377, 0.4438, 0.4728), (0.198, 0.201, 0.197)),
    ),
    "tiny-imagenet": ImageSet(
        title="TinyImageNet",
        references="Stanford CS231n, of ImageNet: Russakovsky et al. 2015, "
        "doi:10.1007/s11263-015-0816-y",
        licence="not stated; ImageNet's terms are non-commercial research and education",
        files=(
            File("tiny-imagenet-200.zip", 248_100_043,
                 "md5:90528d7ca1a48142e341f4ef8d21d0de", ("http://cs231n.stanford.edu/",)),
        ),
        decode=tiny_imagenet,
        normalisation=_of_255((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ),
    "stl10": ImageSet(
        title="STL-10, labelled images",
        references="Coates, Ng and Lee 2011, An analysis of single-layer networks in "
        "unsupervised feature learning",
        licence="not stated; ImageNet's terms are non-commercial research and education",
        files=(
            File("stl10_binary.tar.gz", 2_640_397_119,
                 "md5:91f7769df0f17e558f3565bffb0c7dfb",
                 ("http://ai.stanford.edu/~acoates/stl10/",)),
        ),
        decode=stl10,
    ),
}  # fmt: skip

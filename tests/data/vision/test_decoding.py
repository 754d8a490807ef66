"""Every format is decoded to the pixel; what is broken is refused by its place in the archive."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.vision import archives
from data.vision.archives import DIGITS, SMALL, Small
from phasezoo.data.archive import ArchiveError
from phasezoo.data.vision.decoded import Decoded
from phasezoo.data.vision.sets import SETS


def decoded(name: str, small: Small, folder: Path) -> Decoded:
    return SETS[name].decode(small.laid_in(folder), small.numbers)


@pytest.mark.parametrize("name", list(SMALL))
def test_a_set_is_decoded_as_it_was_written(name: str, tmp_path: Path) -> None:
    small = SMALL[name]()
    found = decoded(name, small, tmp_path)
    assert found.images.dtype == np.uint8
    assert found.images.shape == (len(small.labels), *small.numbers.shape)
    assert found.classes == small.classes
    assert np.array_equal(found.labels, small.labels)
    lost = 2 if name == "tiny-imagenet" else 0  # a JPEG rounds twice: colours, and coefficients
    assert np.abs(found.images.astype(int) - small.images).max() <= lost
    assert {path.name for path in tmp_path.iterdir()} == set(small.files)  # nothing is unpacked


def test_grey_images_have_three_equal_channels(tmp_path: Path) -> None:
    images = decoded("tiny-imagenet", archives.tiny_imagenet(), tmp_path).images
    assert (images[::5] == images[::5, :1]).all()


def test_images_of_a_class_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """Ten comes after nine, and the folders as `wnids.txt` names them, not as they are packed."""

    def shuffled(members: dict[str, bytes]) -> None:
        for name in sorted(members):
            members[name] = members.pop(name)

    small = archives.tiny_imagenet(shuffled)
    found = decoded("tiny-imagenet", small, tmp_path)
    assert np.abs(found.images.astype(int) - small.images).max() <= 2


def test_the_digit_0_is_the_class_10_of_house_numbers(tmp_path: Path) -> None:
    small = archives.svhn()
    assert 0 in small.labels
    assert decoded("svhn", small, tmp_path).classes[0] == "0"


def cifar(**changes: Any) -> Small:
    """CIFAR-10 with members of other content; None leaves one out."""

    def change(members: dict[str, bytes]) -> None:
        for name, content in changes.items():
            members.pop(name) if content is None else members.update({name: content})

    return archives.cifar10(change)


def stl(**changes: bytes) -> Small:
    return archives.stl10(lambda members: members.update(changes_of(changes)))


def changes_of(changes: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{name}.bin" if "_X" in name or "_y" in name else f"{name}.txt": content
            for name, content in changes.items()}  # fmt: skip


def tiny(name: str, content: bytes | None) -> Small:
    def change(members: dict[str, bytes]) -> None:
        members.pop(name) if content is None else members.update({name: content})

    return archives.tiny_imagenet(change)


def file(make: Callable[[], Small], name: str, content: bytes) -> Small:
    return make().with_file(name, content)


def wrong(label: str, source: str, small: Small, got: str, allowed: str) -> Any:
    return pytest.param(source, small, got, allowed, id=label)


TEN, LABELS = archives.cifar10(), [0] * 7
ROWS = TEN.images[:7].reshape(7, -1)
TAR, ZIP = TEN.files["cifar-10-python.tar.gz"], archives.tiny_imagenet().files
BATCH = "data_batch_3"
ANNOTATIONS, GREY = "val/val_annotations.txt", "val/images/val_35.JPEG"
MAT = archives.svhn()
WRONG = [
    # CIFAR
    wrong("batch missing", "cifar10", cifar(data_batch_3=None),
          f"cifar-10-batches-py/{BATCH}: got no such member", "what is there: cifar-10-batches-py"),
    wrong("batch that is text", "cifar10", cifar(data_batch_3=b"<html>"), f"{BATCH}: got ",
          "a pickle of arrays"),
    wrong("batch cut off", "cifar10",
          cifar(data_batch_3=archives.cifar_batch(TEN.images[:7], TEN.labels, "labels")[:200]),
          f"{BATCH}: got ", "a pickle of arrays"),
    wrong("no labels", "cifar10", cifar(data_batch_3=archives.pickled({"data": ROWS})),
          f"{BATCH}: got no labels as list", "a dictionary that has it"),
    wrong("no dictionary", "cifar10", cifar(data_batch_3=archives.pickled([1, 2])),
          f"{BATCH}: got no data as ndarray", "a dictionary that has it"),
    wrong("labels that are text", "cifar10",
          cifar(data_batch_3=archives.pickled({"data": ROWS, "labels": ["a"] * 7})),
          f"{BATCH}: got labels of <U1", "class numbers"),
    wrong("pixels that are numbers", "cifar10",
          cifar(data_batch_3=archives.pickled({"data": ROWS.astype(float), "labels": LABELS})),
          f"{BATCH}: got data of float64 [7, 105]", "uint8 [N, 105]"),
    wrong("images of another size", "cifar10",
          cifar(data_batch_3=archives.pickled({"data": ROWS[:, :96], "labels": LABELS})),
          f"{BATCH}: got data of uint8 [7, 96]", "uint8 [N, 105]"),
    wrong("label too large", "cifar10",
          cifar(data_batch_3=archives.pickled({"data": ROWS, "labels": [*LABELS[1:], 10]})),
          f"{BATCH}: got label 10", "0 to 9"),
    wrong("label too small", "cifar10",
          cifar(data_batch_3=archives.pickled({"data": ROWS, "labels": [*LABELS[1:], -1]})),
          f"{BATCH}: got label -1", "0 to 9"),
    wrong("label missing", "cifar10",
          cifar(data_batch_3=archives.pickled({"data": ROWS, "labels": LABELS[1:]})),
          f"{BATCH}: got 6 labels of 7 images", "one for each"),
    wrong("images missing", "cifar10",
          cifar(data_batch_3=archives.pickled({"data": ROWS[:3], "labels": LABELS[:3]})),
          "training set: got 31 samples", "35"),
    wrong("images too many", "cifar10",
          cifar(test_batch=archives.cifar_batch(TEN.images, TEN.labels, "labels")),
          "test set: got 46 samples", "11"),
    wrong("class missing", "cifar10",
          cifar(test_batch=archives.cifar_batch(TEN.images[:11], np.arange(11) % 9, "labels")),
          "test set: got nothing of the class kind_9", "every class"),
    wrong("name missing", "cifar10",
          cifar(**{"batches.meta": archives.pickled({"label_names": ["cat", "dog"]})}),
          "classes: got 2 different names among 2", "10 names"),
    wrong("names with spaces", "cifar10",
          cifar(**{"batches.meta": archives.pickled({"label_names": [f"a {i}" for i in DIGITS]})}),
          "classes: got 'a 0'", "names without spaces"),
    wrong("half a tar", "cifar10", TEN.with_file("cifar-10-python.tar.gz", TAR[: len(TAR) // 2]),
          "cifar-10-python.tar.gz: got ", "a tar.gz that is whole"),
    wrong("rotten tar", "cifar10",
          TEN.with_file("cifar-10-python.tar.gz", TAR[:300] + bytes(200) + TAR[500:]),
          "cifar-10-python.tar.gz: got ", "a tar.gz that is whole"),
    wrong("tar that is text", "cifar10", TEN.with_file("cifar-10-python.tar.gz", b"<html>"),
          "cifar-10-python.tar.gz: got ", "a tar.gz that is whole"),
    wrong("empty tar", "cifar10", TEN.with_file("cifar-10-python.tar.gz", b""),
          "cifar-10-python.tar.gz: got ", "a tar.gz that is whole"),
    # SVHN
    wrong("label 11", "svhn",
          file(archives.svhn, "test_32x32.mat",
               archives.mat(MAT.images[31:], np.full(17, 11, np.uint8))),
          "test_32x32.mat: got label 11", "1 to 10"),
    wrong("label 0", "svhn",
          file(archives.svhn, "test_32x32.mat", archives.mat(MAT.images[31:], MAT.labels[31:])),
          "test_32x32.mat: got label 0", "1 to 10"),
    wrong("mat that is text", "svhn", file(archives.svhn, "train_32x32.mat", b"<html>" * 99),
          "train_32x32.mat: got ", "a MATLAB file that is whole"),
    wrong("half a mat", "svhn",
          file(archives.svhn, "train_32x32.mat", MAT.files["train_32x32.mat"][:1500]),
          "train_32x32.mat: got ", "a MATLAB file that is whole"),
    wrong("mat without labels", "svhn",
          file(archives.svhn, "train_32x32.mat", archives.saved(X=np.zeros((5, 7, 3, 31), "u1"))),
          "train_32x32.mat: got no y of 2 dimensions", "X and y"),
    wrong("labels of house numbers as text", "svhn",
          file(archives.svhn, "train_32x32.mat",
               archives.saved(X=np.zeros((5, 7, 3, 31), "u1"), y=np.array([["a"], ["b"]]))),
          "train_32x32.mat: got labels of <U1", "whole numbers"),
    # MNIST
    wrong("labels for images", "mnist",
          file(archives.mnist, "train-images-idx3-ubyte.gz", archives.idx(np.zeros(31))),
          "train-images-idx3-ubyte.gz: got a file that begins with 00 00 08 01",
          "an IDX of bytes in 3 dimensions"),
    wrong("idx too short", "mnist",
          file(archives.mnist, "train-labels-idx1-ubyte.gz",
               gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 31]) + bytes(30))),
          "train-labels-idx1-ubyte.gz: got 30 values", "31"),
    wrong("no idx", "mnist",
          file(archives.mnist, "train-labels-idx1-ubyte.gz", gzip.compress(b"ab")),
          "train-labels-idx1-ubyte.gz: got a file that begins with 61 62", "an IDX"),
    wrong("no gzip", "mnist", file(archives.mnist, "t10k-labels-idx1-ubyte.gz", b"<html>"),
          "t10k-labels-idx1-ubyte.gz: got ", "a gzip that is whole"),
    wrong("half a gzip", "mnist",
          file(archives.mnist, "t10k-labels-idx1-ubyte.gz", archives.idx(np.arange(17))[:-9]),
          "t10k-labels-idx1-ubyte.gz: got ", "a gzip that is whole"),
    wrong("digit 12", "mnist",
          file(archives.mnist, "t10k-labels-idx1-ubyte.gz", archives.idx(np.arange(17))),
          "t10k-images: got label 16", "0 to 9"),
    # STL-10
    wrong("part of an image", "stl10", stl(test_X=bytes(17 * 105 - 1)),
          "test_X.bin: got 1784 bytes", "whole images of 105 bytes"),
    wrong("label 0 of things", "stl10", stl(train_y=bytes(31)),
          "train_X.bin: got label -1", "0 to 9"),
    wrong("names that are no text", "stl10", stl(class_names=b"\xff"),
          "class_names.txt: got ", "names of classes"),
    # TinyImageNet
    wrong("no class list", "tiny-imagenet", tiny("wnids.txt", None),
          "tiny-imagenet-200/wnids.txt: got no such member", "what is there: tiny-imagenet-200/"),
    wrong("unknown class", "tiny-imagenet", tiny("train/n9/images/n9_0.JPEG", b""),
          "tiny-imagenet-200/train/n9/images/n9_0.JPEG: got the class n9", "wnids.txt"),
    wrong("image that is text", "tiny-imagenet", tiny(GREY, b"<html>"),
          f"tiny-imagenet-200/{GREY}: got ", "a JPEG that is whole"),
    wrong("half an image", "tiny-imagenet",
          tiny(GREY, archives.jpeg(np.zeros((11, 13, 3), np.uint8))[:400]),
          f"tiny-imagenet-200/{GREY}: got ", "a JPEG that is whole"),
    wrong("large image", "tiny-imagenet",
          tiny(GREY, archives.jpeg(np.zeros((14, 15), np.uint8))),
          f"tiny-imagenet-200/{GREY}: got 15 × 14 pixels", "13 × 11"),
    wrong("validation image missing", "tiny-imagenet", tiny(GREY, None),
          f"tiny-imagenet-200/{GREY}: got ", "a JPEG that is whole"),
    wrong("training image missing", "tiny-imagenet",
          tiny("train/n00000003/images/n00000003_4.JPEG", None), "training set: got 32", "33"),
    wrong("unknown annotation", "tiny-imagenet", tiny(ANNOTATIONS, b"val_33.JPEG\tn9\t0"),
          f"tiny-imagenet-200/{ANNOTATIONS}: got val_33.JPEG n9", "a class of wnids.txt"),
    wrong("annotation without a class", "tiny-imagenet", tiny(ANNOTATIONS, b"val_33.JPEG"),
          f"tiny-imagenet-200/{ANNOTATIONS}: got val_33.JPEG", "a file and a class"),
    wrong("half a zip", "tiny-imagenet",
          file(archives.tiny_imagenet, "tiny-imagenet-200.zip",
               ZIP["tiny-imagenet-200.zip"][:9000]),
          "tiny-imagenet-200.zip: got ", "a zip that is whole"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "small", "got", "allowed"), WRONG)
def test_what_is_wrong_is_refused_by_its_place(
    source: str, small: Small, got: str, allowed: str, tmp_path: Path
) -> None:
    with pytest.raises(ArchiveError) as refusal:
        decoded(source, small, tmp_path)
    (line,) = str(refusal.value).splitlines()
    assert line.startswith(got)
    assert allowed in line.split("; allowed: ")[1]


def test_a_broken_checksum_within_a_zip_is_found(tmp_path: Path) -> None:
    small = archives.tiny_imagenet()
    content = bytearray(small.files["tiny-imagenet-200.zip"])
    place = content.index(b"n00000007\nn00000003")
    content[place] ^= 1
    with pytest.raises(ArchiveError, match=r"wnids\.txt: got Bad CRC-32"):
        decoded("tiny-imagenet", small.with_file("tiny-imagenet-200.zip", bytes(content)), tmp_path)


ESCAPES = ["../evil", "cifar-10-batches-py/../../evil", "/tmp/evil", "..\\evil", "C:\\evil"]


@pytest.mark.parametrize("name", ESCAPES)
def test_a_tar_that_leads_out_of_its_folder_is_refused_by_name(name: str, tmp_path: Path) -> None:
    small = TEN.with_file("cifar-10-python.tar.gz", archives.tarred({name: b"evil"}))
    with pytest.raises(ArchiveError, match="got a path that leads out; allowed: paths wi") as error:
        decoded("cifar10", small, tmp_path)
    assert str(error.value).startswith(f"member {name!r}")


@pytest.mark.parametrize("name", ESCAPES)
def test_a_zip_that_leads_out_of_its_folder_is_refused_by_name(name: str, tmp_path: Path) -> None:
    content = archives.zipped({name: b"evil"})
    small = archives.tiny_imagenet().with_file("tiny-imagenet-200.zip", content)
    with pytest.raises(ArchiveError, match="got a path that leads out; allowed: paths wi") as error:
        decoded("tiny-imagenet", small, tmp_path)
    assert str(error.value).startswith(f"member {name!r}")


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
def test_a_tar_with_a_link_or_a_device_is_refused(kind: bytes, tmp_path: Path) -> None:
    info = tarfile.TarInfo("cifar-10-batches-py/data_batch_1")
    info.type, info.linkname = kind, "/etc/hostname"
    small = TEN.with_file("cifar-10-python.tar.gz", archives.tarred({}, info))
    with pytest.raises(
        ArchiveError, match=r"data_batch_1': got a link or a device; allowed: files"
    ):
        decoded("cifar10", small, tmp_path)


def test_a_zip_with_a_link_is_refused(tmp_path: Path) -> None:
    file, link = io.BytesIO(), zipfile.ZipInfo("tiny-imagenet-200/wnids.txt")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(link, "/etc/hostname")
    small = archives.tiny_imagenet().with_file("tiny-imagenet-200.zip", file.getvalue())
    with pytest.raises(ArchiveError, match=r"wnids\.txt': got a link or a device"):
        decoded("tiny-imagenet", small, tmp_path)


def test_a_member_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    names = [f"cifar-10-batches-py/{name}" for name in
             ("data_batch_1", "./data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4",
              "data_batch_5", "test_batch", "batches.meta")]  # fmt: skip
    small = TEN.with_file("cifar-10-python.tar.gz", archives.tarred(dict.fromkeys(names, b"")))
    with pytest.raises(ArchiveError, match=r"data_batch_1: got two of it; allowed: each member"):
        decoded("cifar10", small, tmp_path)


def test_no_bit_that_flips_ends_in_anything_but_one_line(tmp_path: Path) -> None:
    """A file that is altered anywhere is decoded or refused; no other error, nothing is run."""
    random = np.random.default_rng(0)
    refused = []
    for name, make in SMALL.items():
        small = make()
        for _ in range(60):
            which = random.choice(list(small.files))
            content = bytearray(small.files[which])
            for place in random.integers(0, len(content), 3):
                content[place] ^= 1 << random.integers(8)
            try:
                decoded(name, small.with_file(which, bytes(content)), tmp_path)
            except ArchiveError as problem:
                refused.append(str(problem))
    assert len(refused) > 60
    assert all(len(text.splitlines()) == 1 for text in refused)

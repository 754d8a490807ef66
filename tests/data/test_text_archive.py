"""Texts are read from an archive of archives as they are, or it is refused in one line."""

from __future__ import annotations

import io
import lzma
import tarfile
from pathlib import Path
from typing import Any

import pytest

from data.texts import archive, packed
from phasezoo.data.corpus import CorpusError
from phasezoo.data.text_archive import subsets

TEXTS = ["The first text.", "Ein Text über Café und 中文, 🙂."], ["Another one.\n\nOf two parts."]


def read(folder: Path, content: bytes) -> list[list[str]]:
    (folder / "texts.tar.xz").write_bytes(content)
    return list(subsets(folder / "texts.tar.xz"))


def test_texts_come_by_subset_in_the_order_of_the_archive(tmp_path: Path) -> None:
    assert read(tmp_path, archive(*TEXTS)) == list(map(list, TEXTS))


def test_empty_lines_and_ends_are_tidied_and_empty_texts_left_out(tmp_path: Path) -> None:
    texts = ["\n\n  a\n\n\n\n\nb \t\n", " \n\n\n ", "a\n\n\nb\n\nc\nd"]
    assert read(tmp_path, archive(texts)) == [["a\n\nb", "a\n\nb\n\nc\nd"]]


def test_files_of_other_kinds_are_passed_over(tmp_path: Path) -> None:
    inner = packed({"list.csv": b"\xff", "1.txt": b"text"})
    files = {"a/": b"", "a/1.xz": inner, "a/1.xz.lock": b"", "a/README": b"no archive"}
    assert read(tmp_path, packed(files)) == [["text"]]


def test_an_archive_that_is_read_in_part_is_not_read_further(tmp_path: Path) -> None:
    broken = {"1.xz": packed({"1.txt": b"good"}), "2.xz": b"no archive"}
    (tmp_path / "texts.tar.xz").write_bytes(packed(broken))
    assert next(subsets(tmp_path / "texts.tar.xz")) == ["good"]


def special(kind: bytes, name: str = "odd.txt", target: str = "/etc/passwd") -> bytes:
    """A .tar.xz with one member that is no file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:xz") as tar:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, target
        tar.addfile(member)
    return out.getvalue()


def within(inner: bytes) -> bytes:
    return packed({"a/1.xz": inner})


def truncated(files: dict[str, bytes], at: int) -> bytes:
    """A whole .xz stream of the first bytes of a .tar."""
    return lzma.compress(lzma.decompress(packed(files))[:at])


LONG = {"1.txt": bytes(range(32, 127)) * 5000}
WHOLE = "allowed: a whole .tar.xz archive"
STAY = "allowed: members whose path stays within the archive"
PLAIN = "allowed: files and folders, no links and no devices"


def case(label: str, content: bytes, begin: str, end: str) -> Any:
    return pytest.param(content, begin, end, id=label)


@pytest.mark.parametrize(
    ("content", "begin", "end"),
    [
        case("empty", b"", "texts.tar.xz: got ", WHOLE),
        case("text", b"<html>not found</html>", "texts.tar.xz: got ", WHOLE),
        case("no tar", lzma.compress(b"x" * 2000), "texts.tar.xz: got ", WHOLE),
        case("half", archive(*TEXTS)[:-200], "texts.tar.xz: got Compressed file ended", WHOLE),
        case("rotten", archive(*TEXTS)[:200] + bytes(50) + archive(*TEXTS)[250:],
             "texts.tar.xz: got ", WHOLE),
        case("subset no archive", within(b"text"), "a/1.xz: got ", WHOLE),
        case("half a subset", within(packed(LONG)[:-100]), "a/1.xz: got Compressed file", WHOLE),
        case("half a text", within(truncated(LONG, 9000)), "a/1.xz: got unexpected end", WHOLE),
        case("escaping subset", packed({"a/../../1.xz": packed(LONG)}),
             "texts.tar.xz: got 'a/../../1.xz'", STAY),
        case("absolute subset", packed({"/a/1.xz": packed(LONG)}), "texts.tar.xz: got '/a/1.xz'",
             STAY),
        case("escaping text", within(packed({"../1.txt": b"x"})), "a/1.xz: got '../1.txt'", STAY),
        case("escaping folder", within(packed({"../a/": b""})), "a/1.xz: got '../a'", STAY),
        case("link", within(special(tarfile.SYMTYPE)), "a/1.xz: got 'odd.txt'", PLAIN),
        case("hard link", within(special(tarfile.LNKTYPE)), "a/1.xz: got 'odd.txt'", PLAIN),
        case("pipe", within(special(tarfile.FIFOTYPE)), "a/1.xz: got 'odd.txt'", PLAIN),
        case("device", special(tarfile.CHRTYPE, "odd.xz"), "texts.tar.xz: got 'odd.xz'", PLAIN),
        case("no UTF-8", archive([b"caf\xe9"]),
             "openwebtext/urlsf_subset00-1_data.xz: 0000000-", "allowed: text in UTF-8"),
    ],
)  # fmt: skip
def test_a_wrong_archive_is_refused_in_one_line(
    tmp_path: Path, content: bytes, begin: str, end: str
) -> None:
    with pytest.raises(CorpusError) as refusal:
        read(tmp_path, content)
    (line,) = str(refusal.value).splitlines()
    assert line.startswith(begin)
    assert line.endswith(end)
    assert [path.name for path in tmp_path.iterdir()] == ["texts.tar.xz"]

"""The files of a set come from whoever has them, or are asked for one by one by their places."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from data.server import broken, stalled, status, whole
from data.vision.archives import mnist
from data.vision.sites import Site, nobody
from phasezoo.data.checksum import of_text
from phasezoo.data.download import DownloadError, fetch
from phasezoo.data.transfer import Patience
from phasezoo.data.vision.files import MIRROR, File, bring
from phasezoo.data.vision.sets import SETS
from phasezoo.spec.published import SETS as NUMBERS
from phasezoo.spec.web import web_address

CONTENT = bytes(range(256)) * 1000
QUICK = Patience(tries=2, pause=0.01, connect=20, stall=20, every=0)
SMALL = mnist().files


@pytest.fixture(autouse=True)
def no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MIRROR, raising=False)


def file(*folders: str, name: str = "a.bin", content: bytes = CONTENT) -> File:
    return File(name, len(content), f"md5:{hashlib.md5(content).hexdigest()}", folders)


def refusal(files: list[File], folder: Path) -> list[str]:
    with pytest.raises(DownloadError) as error:
        bring("set", files, folder, QUICK)
    return str(error.value).splitlines()


def test_every_set_has_numbers_files_and_addresses() -> None:
    assert set(SETS) == set(NUMBERS)
    for about in SETS.values():
        assert about.files
        for one in about.files:
            assert of_text(one.checksum).kind == "md5"
            assert one.size > 4000
            for folder in one.folders:
                assert web_address(folder + one.name).count("//") == 1
                assert folder.endswith("/")


def test_all_files_of_a_set_are_brought_once(tmp_path: Path) -> None:
    small = mnist()
    with Site(SMALL) as site:
        files = small.table(site.folder)
        found = bring("mnist", files, tmp_path, QUICK)
        assert bring("mnist", files, tmp_path, QUICK) == found
        assert site.paths == list(SMALL)
    assert {name: path.read_bytes() for name, path in found.items()} == SMALL


def test_a_mirror_of_ones_own_is_asked_first_by_set_and_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Site({"kept/set/a.bin": CONTENT}) as own, Site({}) as theirs:
        monkeypatch.setenv(MIRROR, f"{own.folder}kept/")
        found = bring("set", [file(theirs.folder)], tmp_path, QUICK)
    assert found["a.bin"].read_bytes() == CONTENT
    assert (own.paths, theirs.paths) == (["kept/set/a.bin"], [])


@pytest.mark.parametrize(
    "answer",
    [status(404), status(500), whole(CONTENT[::-1]), broken(CONTENT, 5000, ranges=False)],
    ids=["no file", "in trouble", "another file", "a part of it"],
)
def test_what_one_address_does_not_give_the_next_one_gives(answer, tmp_path: Path) -> None:
    with Site({"a.bin": answer}) as first, Site({"a.bin": CONTENT}) as second:
        found = bring("set", [file(first.folder, second.folder)], tmp_path, QUICK)
    assert found["a.bin"].read_bytes() == CONTENT
    assert first.paths
    assert second.paths


def test_the_second_address_goes_on_where_the_first_broke_off(tmp_path: Path) -> None:
    script = [broken(CONTENT, 150_000), status(404)]
    breaking = Site({"a.bin": lambda request: script.pop(0)(request)})
    with breaking as first, Site({"a.bin": CONTENT}) as second:
        bring("set", [file(first.folder, second.folder)], tmp_path, QUICK)
    assert second.asked[0].startswith("bytes=")


def test_a_file_that_is_kept_is_kept_for_all_addresses(tmp_path: Path) -> None:
    with Site({"a.bin": CONTENT}) as site:
        first = bring("set", [file(site.folder)], tmp_path, QUICK)
    assert bring("set", [file("https://nowhere.invalid/")], tmp_path, QUICK) == first


def test_offline_each_file_is_told_with_its_checksum_and_its_place(tmp_path: Path) -> None:
    with nobody() as first, nobody() as second:
        small = mnist()
        files = small.table(first, second)
        lines = refusal(list(files), tmp_path)
        assert len(lines) == len(files)
        head = lines[0].split("; allowed: ")[0]
        assert head.startswith(f"{first}{files[0].name}: got no connection, 2 times in a row, ")
        assert f"{second}{files[0].name}: got no connection" in head
        for one, line in zip(files, lines, strict=True):
            wanted = one.checksum.replace("md5:", "md5 ")
            place = f"{one.size:,} bytes, at {one.kept_in(tmp_path)}"
            assert f"put the one with {wanted}, {place}" in line
            assert line.startswith(f"{first}{one.name}: got ")
        for one in files:
            one.kept_in(tmp_path).write_bytes(small.files[one.name])
        assert set(bring("mnist", files, tmp_path, QUICK)) == set(small.files)


def test_only_what_is_missing_is_told(tmp_path: Path) -> None:
    with Site({name: SMALL[name] for name in list(SMALL)[:2]}) as site:
        lines = refusal(list(mnist().table(site.folder)), tmp_path)
    heads = [line.split("; allowed: ")[0] for line in lines]
    images, labels = (site.folder + name for name in list(SMALL)[2:])
    assert heads == [f"{images}: got HTTP 404 Not Found", f"{labels}: got nothing yet"]


def test_a_mirror_that_is_no_address_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MIRROR, "/data/sets")
    (line,) = refusal([file("https://nowhere.invalid/")], tmp_path)
    assert line.startswith(f"{MIRROR}: got '/data/sets'; allowed: an address that begins with http")


def test_a_folder_that_cannot_be_used_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (line,) = refusal([file("http://127.0.0.1/a/", "http://127.0.0.1/b/")], tmp_path / "file")
    assert line.startswith(f"{tmp_path / 'file'}: got 'File exists'; allowed: a folder")


MD5 = f"md5:{hashlib.md5(CONTENT).hexdigest()}"


@pytest.mark.parametrize(
    "answers",
    [[broken(CONTENT, 100_000)], [stalled(CONTENT, 100_000)], [status(503)], []],
    ids=["broken off", "stalled", "in trouble", "at once"],
)
def test_a_file_with_an_md5_comes_whole_on_any_network(answers: list, tmp_path: Path) -> None:
    script = [*answers, whole(CONTENT)]
    with Site({"a.bin": lambda request: (script.pop(0))(request)}) as site:
        patience = Patience(tries=3, pause=0.01, connect=20, stall=0.5, every=0)
        path = fetch(f"{site.folder}a.bin", MD5.upper().replace("MD5", "md5"), tmp_path, patience)
    assert path.read_bytes() == CONTENT
    assert path.name == f"{MD5[4:20]}-a.bin"


def test_a_file_with_a_wrong_md5_is_removed(tmp_path: Path) -> None:
    with Site({"a.bin": CONTENT[:-1]}) as site, pytest.raises(DownloadError) as error:
        fetch(f"{site.folder}a.bin", MD5, tmp_path, QUICK)
    got = hashlib.md5(CONTENT[:-1]).hexdigest()
    assert str(error.value).endswith(f"a.bin: got md5 {got}; allowed: {MD5[4:]}; removed it")
    assert [path for path in tmp_path.iterdir() if path.suffix != ".lock"] == []


@pytest.mark.parametrize(
    "text", ["md5:abc", f"md5:{'g' * 32}", "sha1:" + "0" * 40, "0" * 32, "md5:"]
)
def test_a_checksum_is_of_a_known_kind_and_length(text: str, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="allowed: the 64 hexadecimal digits of a SHA-256"):
        fetch("http://127.0.0.1/a", text, tmp_path)

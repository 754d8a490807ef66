"""A manifest says what a store holds; whatever is altered is found, and nothing is half made."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from phasezoo.store.manifest import (
    ManifestError,
    read_manifest,
    store_of,
    tree_of,
    verify,
    writing,
)
from phasezoo.store.variables import SCHEMA_VERSION
from phasezoo.store.whole import draft_of

SPEC = {"recipe": 1, "values": [3, 5]}
CONTENT = {"zarr.json": b"{}", "c/0/0": bytes(range(251)), "c/1": b"", "c.x": b"dot before slash"}


def make(manifest: Path, content: dict[str, bytes] = CONTENT) -> Path:
    """Write a store of some files; returns its directory."""
    with writing(manifest, SPEC) as directory:
        for name, data in content.items():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            (directory / name).write_bytes(data)
    return store_of(manifest)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "some.json"
    make(path)
    return path


def test_the_digest_is_that_of_the_sorted_lines_digest_and_path(manifest: Path) -> None:
    tree = read_manifest(manifest)["tree"]
    names = sorted(CONTENT, key=lambda name: name.split("/"))
    lines = [f"{hashlib.sha256(CONTENT[name]).hexdigest()} {name}\n" for name in names]
    assert tree == {
        "sha256": hashlib.sha256("".join(lines).encode()).hexdigest(),
        "files": 4,
        "bytes": 2 + 251 + 0 + 16,
    }


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="sha256sum is not installed")
def test_the_digest_is_that_of_sha256sum(tmp_path: Path) -> None:
    store = make(tmp_path / "plain.json", {f"{name}": name.encode() for name in "abcde"})
    said = subprocess.run(
        ["sha256sum", *sorted(os.listdir(store))],
        cwd=store,
        capture_output=True,
        text=True,
        check=True,
    )
    text = said.stdout.replace("  ", " ")  # its second blank says that the file was read as text
    assert tree_of(store).sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_a_store_as_it_was_written_passes(manifest: Path) -> None:
    verify(manifest)


def test_one_flipped_bit_is_found(manifest: Path) -> None:
    file = store_of(manifest) / "c/0/0"
    data = bytearray(file.read_bytes())
    data[97] ^= 1
    file.write_bytes(data)
    with pytest.raises(ManifestError, match=r"some\.zarr: altered; got 4 files, 269 bytes"):
        verify(manifest)


def test_a_missing_file_is_found(manifest: Path) -> None:
    (store_of(manifest) / "c/1").unlink()
    with pytest.raises(ManifestError, match=r"got 3 files, 269 bytes, .* allowed are 4, 269"):
        verify(manifest)


def test_an_extra_file_is_found(manifest: Path) -> None:
    (store_of(manifest) / "c/2").write_bytes(b"")
    with pytest.raises(ManifestError, match="got 5 files"):
        verify(manifest)


def test_a_renamed_file_is_found(manifest: Path) -> None:
    (store_of(manifest) / "c/1").rename(store_of(manifest) / "c/2")
    with pytest.raises(ManifestError, match="got 4 files, 269 bytes"):
        verify(manifest)


def test_a_missing_store_is_found(manifest: Path) -> None:
    shutil.rmtree(store_of(manifest))
    with pytest.raises(ManifestError, match="got 0 files"):
        verify(manifest)


def test_the_time_stamp_of_snakemake_does_not_count(manifest: Path) -> None:
    before = tree_of(store_of(manifest))
    (store_of(manifest) / ".snakemake_timestamp").touch()
    (store_of(manifest) / "c/.snakemake_timestamp").write_text("now")
    verify(manifest)
    assert tree_of(store_of(manifest)) == before


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"spec": {}}', '{"tree": {"sha256": "", "files": 1}}']
)
def test_what_is_no_manifest_is_refused_by_path(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(ManifestError, match=r"other\.json: not a manifest"):
        verify(path)


def test_a_missing_manifest_is_refused_by_path(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"none\.json: not a manifest \(.*No such file"):
        read_manifest(tmp_path / "none.json")


def fail(manifest: Path) -> None:
    """A job that ends in the middle of its work."""
    with writing(manifest, {"recipe": 2}) as directory:
        (directory / "half").write_bytes(b"half")
        raise RuntimeError("in the middle")


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="in the middle"):
        fail(tmp_path / "a.json")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_what_was_there(manifest: Path) -> None:
    before = manifest.read_bytes()
    with pytest.raises(RuntimeError, match="in the middle"):
        fail(manifest)
    verify(manifest)
    assert manifest.read_bytes() == before
    assert {p.name for p in manifest.parent.iterdir()} == {
        "some.json",
        "some.zarr",
        "some.provenance.json",
    }


def test_writing_again_leaves_no_file_of_the_first(manifest: Path) -> None:
    make(manifest, {"only": b"this"})
    verify(manifest)
    assert [p.name for p in store_of(manifest).iterdir()] == ["only"]


def test_what_an_interrupted_job_left_is_not_taken_over(tmp_path: Path) -> None:
    stale = draft_of(tmp_path / "a.zarr")
    stale.mkdir()
    (stale / "old").write_bytes(b"old")
    assert [p.name for p in make(tmp_path / "a.json", {"new": b"new"}).iterdir()] == ["new"]


def test_the_manifest_is_written_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    for name in ("rename", "replace"):
        real = getattr(Path, name)

        def noted(self: Path, target: Path, real: Callable = real) -> Path:
            order.append(Path(target).name)
            return real(self, target)

        monkeypatch.setattr(Path, name, noted)
    make(tmp_path / "some.json")
    assert order == ["some.zarr", "some.provenance.json", "some.json"]


def test_while_it_is_written_nothing_stands_under_its_name(tmp_path: Path) -> None:
    with writing(tmp_path / "a.json", SPEC) as directory:
        assert not (tmp_path / "a.zarr").exists()
        assert not (tmp_path / "a.json").exists()
        assert directory.parent == tmp_path  # one file system, so that the move is a rename


def test_the_same_content_has_the_same_manifest_wherever_and_whenever(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    make(tmp_path / "one/a.json")
    reordered = {name: CONTENT[name] for name in reversed(CONTENT)}
    store = make(tmp_path / "two/a.json", reordered)
    os.utime(store / "zarr.json", (0, 0))
    assert (tmp_path / "one/a.json").read_bytes() == (tmp_path / "two/a.json").read_bytes()


def test_the_manifest_carries_schema_and_spec_and_how_it_was_made_lies_beside(
    manifest: Path,
) -> None:
    content = read_manifest(manifest)
    assert set(content) == {"schema", "tree", "spec"}
    assert content["schema"] == SCHEMA_VERSION
    assert content["spec"] == SPEC
    made = json.loads(manifest.with_suffix(".provenance.json").read_text())
    assert set(made) == {"started", "seconds", "versions", "machine", "seal"}


def test_what_is_noted_while_it_is_made_lies_there_too(tmp_path: Path) -> None:
    noted: dict[str, str] = {}
    with writing(tmp_path / "noted.json", SPEC, noted, device="cpu") as directory:
        (directory / "a").write_text("1")
        noted["training"] = "one after the other"
    made = json.loads((tmp_path / "noted.provenance.json").read_text())
    assert (made["device"], made["training"]) == ("cpu", "one after the other")


def test_what_a_store_was_made_with_lies_in_its_provenance_alone(tmp_path: Path) -> None:
    for name, device in (("one", "cpu"), ("two", "some GPU")):
        with writing(tmp_path / f"{name}.json", SPEC, device=device) as directory:
            (directory / "a").write_bytes(b"a")
        made = json.loads((tmp_path / f"{name}.provenance.json").read_text())
        assert made["device"] == device
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()

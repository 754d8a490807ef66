"""An audit names everything that is missing, altered, half written or not declared."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from phasezoo.store.audit import State, audit, mend
from phasezoo.store.manifest import writing
from phasezoo.store.whole import whole, write_json
from phasezoo.vocabulary import PhasezooError

STORES = ("data/d.json", "runs/z/1.json", "imported/z/2.json")
FILES = ("measured/z/a.nc", "results/z/metrics.nc", "results/report/index.html")
DECLARED = [
    *STORES,
    *(s.replace(".json", ".zarr") for s in STORES),
    *FILES,
    "results/z/phases.json",
]
FOLDERS = ("data", "runs", "imported", "measured", "results", "zoos")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in STORES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        with writing(tmp_path / name, {"of": name}) as store:
            (store / "c").mkdir()
            for shard in range(4):
                (store / f"c/{shard}").write_bytes(bytes(range(100 + shard)))
    for name in FILES:
        with whole(tmp_path / name) as draft:
            draft.write_bytes(name.encode() * 20)
    write_json(tmp_path / "results/z/phases.json", {"epochs": {}})
    return tmp_path


def found(root: Path) -> list[tuple[str, str]]:
    return [(f.state, f.path) for f in audit(root, DECLARED, DECLARED, FOLDERS).findings]


def test_a_study_as_it_was_made_has_no_findings(root: Path) -> None:
    assert found(root) == []
    assert audit(root, DECLARED, DECLARED, FOLDERS).checked == len(STORES) + len(FILES) + 1


def test_one_bit_in_any_file_is_found(root: Path) -> None:
    chance = random.Random(1)
    files = sorted(p for p in root.rglob("*") if p.is_file())
    assert len(files) > 20
    for path in files:
        right = path.read_bytes()
        wrong = bytearray(right)
        wrong[chance.randrange(len(wrong))] ^= 1 << chance.randrange(8)
        path.write_bytes(wrong)
        assert [state for state, _ in found(root)] == ["altered"], path
        path.write_bytes(right)
    assert found(root) == []


@pytest.mark.parametrize("lost", ["runs/z/1.json", "runs/z/1.zarr", "results/z/metrics.nc"])
def test_what_is_gone_is_missing(root: Path, lost: str) -> None:
    path = root / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert found(root) == [("missing", lost.replace(".zarr", ".json"))]


def test_what_nobody_declares_is_an_orphan_and_stays(root: Path) -> None:
    (root / "runs/y/9.zarr/c").mkdir(parents=True)
    (root / "runs/y/9.zarr/c/0").write_bytes(b"old")
    (root / "zoos").mkdir()
    (root / "zoos/note.txt").write_text("mine")
    everything = audit(root, DECLARED, DECLARED, FOLDERS)
    orphans = [("orphaned", "runs/y/9.zarr"), ("orphaned", "zoos/note.txt")]
    assert [(f.state, f.path) for f in everything.findings] == orphans
    assert everything.bad == []
    assert mend(root, everything) == []
    assert found(root) == orphans


def test_what_a_killed_job_left_is_removed(root: Path) -> None:
    (root / "runs/z/.2.zarr.draft-77/c").mkdir(parents=True)
    (root / "runs/z/.2.zarr.draft-77/c/0").write_bytes(b"half")
    (root / "results/.x.nc.draft-78").write_bytes(b"half")
    paths = ["results/.x.nc.draft-78", "runs/z/.2.zarr.draft-77"]
    assert found(root) == [(State.LEFTOVER, path) for path in paths]
    assert sorted(mend(root, audit(root, DECLARED, DECLARED, FOLDERS))) == paths
    assert found(root) == []


def test_mending_removes_all_of_what_is_bad_and_nothing_else(root: Path) -> None:
    (root / "runs/z/1.zarr/c/2").write_bytes(b"bad")
    (root / "results/z/metrics.nc").write_bytes(b"bad")
    (root / "data/d.provenance.json").write_text("{}")
    before = {p for p in root.rglob("*") if p.is_file()}
    removed = mend(root, audit(root, DECLARED, DECLARED, FOLDERS))
    expected = {"data/d.provenance.json", "results/z/metrics.nc", "results/z/metrics.nc.sha256"}
    expected |= {"runs/z/1.json", "runs/z/1.zarr", "runs/z/1.provenance.json"}
    assert set(removed) == expected
    gone = before - {p for p in root.rglob("*") if p.is_file()}
    assert {p.relative_to(root).as_posix() for p in gone} - expected == {
        f"runs/z/1.zarr/c/{shard}" for shard in range(4)
    }
    # how a store was made is not known any more, which is no reason to make it again
    assert found(root) == [("missing", "results/z/metrics.nc"), ("missing", "runs/z/1.json")]


def test_what_was_imported_cannot_be_made_again_and_stays(root: Path) -> None:
    (root / "imported/z/2.zarr/c/2").write_bytes(b"bad")
    everything = audit(root, DECLARED, DECLARED, FOLDERS)
    assert [f.path for f in everything.lasting] == ["imported/z/2.json"]
    assert mend(root, everything) == []


def test_a_store_that_was_pulled_alone_stays(root: Path) -> None:
    (root / "runs/z/1.json").unlink()
    everything = audit(root, DECLARED, DECLARED, FOLDERS)
    assert [f.path for f in everything.bad] == ["runs/z/1.json"]
    assert mend(root, everything) == []
    assert (root / "runs/z/1.zarr/c/2").exists()


def test_nothing_is_removed_under_a_running_workflow(root: Path) -> None:
    (root / ".snakemake/locks").mkdir(parents=True)
    (root / ".snakemake/locks/0.input.lock").write_text("")
    (root / "results/z/metrics.nc").write_bytes(b"bad")
    with pytest.raises(PhasezooError, match="--unlock"):
        mend(root, audit(root, DECLARED, DECLARED, FOLDERS))
    assert (root / "results/z/metrics.nc").exists()

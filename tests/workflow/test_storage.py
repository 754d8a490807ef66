"""The workflow with its artefacts in a storage of Snakemake's, where a job sees only its inputs."""

from __future__ import annotations

import shutil
from copy import deepcopy
from importlib.util import find_spec
from pathlib import Path

import pytest

from workflow.project import Project

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.skipif(
        find_spec("snakemake_storage_plugin_fs") is None or shutil.which("rsync") is None,
        reason="the storage plugin `fs` or rsync is not installed",
    ),
]


def stored(bucket: Path) -> tuple[str, ...]:
    """Options for a storage at a folder, shared with no job."""
    return (
        *("--default-storage-provider", "fs", "--default-storage-prefix", str(bucket)),
        *("--shared-fs-usage", "sources", "software-deployment", "source-cache", "persistence"),
    )


def results(root: Path) -> dict[str, bytes]:
    """Manifests, checksums and labels: what equal results have equal."""
    found = (p for kind in ("data", "runs", "measured", "results", "zoos") for p in root.glob(kind))
    files = [p for kind in found for p in kind.rglob("*") if p.suffix in (".json", ".sha256")]
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in files
        if ".zarr" not in str(path) and "provenance" not in path.name and "report" not in str(path)
    }


def test_a_study_in_a_storage_is_the_study_on_disk(
    small: dict, small_origin: Project, tmp_path: Path
):
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    project = Project.create(tmp_path / "study", small)
    project.make(*stored(bucket))
    assert not (project.root / "runs").exists()
    assert "Nothing to be done" in project.make(*stored(bucket))

    brought = Project.create(tmp_path / "brought", small)
    shutil.copytree(bucket, brought.root, dirs_exist_ok=True)
    done = brought.run("phasezoo", "verify")
    assert done.returncode == 0, done.stdout
    assert results(brought.root) == results(small_origin.root)

    changed = deepcopy(small)
    changed["zoos"]["tiny"]["phases"]["train_loss"] = 0.5
    project.write(changed)
    said = project.make(*stored(bucket))
    made = [line.split()[-1] for line in said.splitlines() if line.startswith("localrule ")]
    assert sorted(made) == ["all:", "phases:", "publish:", "report:"]

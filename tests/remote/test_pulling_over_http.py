"""A study pulled with DVC from a web server: what was pushed, and nothing is to be done."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import phasezoo
from phasezoo.store.manifest import verify
from remote.sites import NGINX, Nginx, nginx
from steps.tiny import MLP, Tiny
from workflow.project import REPOSITORY, Project

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed"),
]

PARAMS = REPOSITORY / "tests/workflow/tiny.yaml"
AUTHOR = ("-c", "user.name=A", "-c", "user.email=a@example.org")
ZOO = f"zoos/{MLP}.zarr"


def run(project: Project, *command: str) -> str:
    done = project.run(*command)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def origin(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A repository with the data sets of a study, made by its workflow, and a zoo; pushed."""
    root = tmp_path_factory.mktemp("pushed")
    project = Project.create(root / "origin", yaml.safe_load(PARAMS.read_text()))
    project.make("datasets")
    (project.root / "zoos").mkdir()
    shutil.copytree(tiny.root / ZOO, project.root / ZOO)
    shutil.copy(tiny.root / f"zoos/{MLP}.json", project.root / "zoos")
    (project.root / ".gitignore").unlink()  # it leaves these paths to the stages of a real study
    run(project, "git", "init", "-q")
    run(project, "dvc", "init", "-q")
    run(project, "dvc", "add", "-q", "data", ".snakemake/metadata", ZOO, f"zoos/{MLP}.json")
    run(project, "dvc", "remote", "add", "-q", "-d", "folder", str(root / "site/shelf"))
    run(project, "dvc", "push", "-q")
    run(project, "git", "add", "-A", ".")
    run(project, "git", *AUTHOR, "commit", "-qm", "A study")
    return project


@pytest.fixture(scope="module")
def site(origin: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with nginx(origin.root.parent / "site", tmp_path_factory.mktemp("nginx") / "home") as served:
        yield served


@pytest.fixture
def clone(origin: Project, site: Nginx, tmp_path: Path) -> Project:
    run(origin, "git", "clone", "-q", str(origin.root), str(tmp_path / "clone"))
    project = Project(tmp_path / "clone")
    run(project, "dvc", "remote", "add", "-q", "-d", "web", f"{site.url}/shelf")
    site.requests()
    return project


def test_after_a_pull_nothing_is_to_be_done(clone: Project, origin: Project, site: Nginx) -> None:
    assert not (clone.root / "data").exists()
    run(clone, "dvc", "pull", "-q")
    assert "Nothing to be done" in run(clone, "snakemake", "--dry-run", "datasets")
    assert clone.manifests() == origin.manifests()
    got = [r for r in site.requests() if r.status == 200]
    assert {r.path.rpartition("/md5/")[0] for r in got} == {"shelf/files"}


def test_a_reader_needs_the_zoo_alone(clone: Project, tiny: Tiny, site: Nginx) -> None:
    run(clone, "dvc", "pull", "-q", ZOO, f"zoos/{MLP}.json")
    assert not (clone.root / "data").exists()
    verify(clone.root / f"zoos/{MLP}.json")
    cell = {"width": 7, "batch_size": 13, "seed": 1, "epoch": 3}
    found = phasezoo.open_zoo(clone.root / ZOO).weights(**cell)
    assert found.parameters.equal(phasezoo.open_zoo(tiny.root / ZOO).weights(**cell).parameters)
    contents = {p.read_bytes() for p in (tiny.root / ZOO).rglob("*") if p.is_file()}
    got = {r.path for r in site.requests() if r.status == 200 and r.bytes}
    assert len(got) == len(contents) + 2  # the list of the folder's files, and the manifest

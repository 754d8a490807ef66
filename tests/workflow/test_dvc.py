"""A study published with DVC: pushed, cloned, pulled, and nothing is to be done."""

from __future__ import annotations

import shutil
from collections import Counter

import pytest
import yaml

import phasezoo
from workflow.project import REPOSITORY, Project

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("workflow")]


def _stages() -> dict:
    """The project's own stages, for the tiny zoo in place of the default one."""
    stages = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text().replace("digits-mlp", "tiny"))
    for stage in stages["stages"].values():
        stage["deps"] = [name for name in stage["deps"] if name != "src/phasezoo"]
    del stages["stages"]["digits-resnet"]
    return stages


def _run(project: Project, *command: str) -> str:
    done = project.run(*command)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def clone(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A clone of the finished study, pulled from a remote."""
    root = tmp_path_factory.mktemp("dvc")
    origin = Project(root / "origin")
    shutil.copytree(finished.root, origin.root)
    (origin.root / "dvc.yaml").write_text(yaml.safe_dump(_stages(), sort_keys=False))
    before = origin.manifests()
    _run(origin, "git", "init", "-q")
    _run(origin, "dvc", "init", "-q")
    _run(origin, "dvc", "remote", "add", "-q", "-d", "shelf", str(root / "shelf"))
    _run(origin, "dvc", "repro", "-q", "study")
    assert origin.manifests() == before
    _run(origin, "git", "add", "-A")
    author = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    _run(origin, "git", *author, "commit", "-qm", "A study")
    _run(origin, "dvc", "push", "-q")
    shutil.rmtree(origin.root / ".dvc/cache")
    _run(origin, "git", "clone", "-q", str(origin.root), str(root / "clone"))
    pulled = Project(root / "clone")
    assert not (pulled.root / "runs").exists()
    _run(pulled, "dvc", "pull", "-q")
    return pulled


def test_git_holds_no_arrays(clone: Project):
    files = _run(clone, "git", "ls-files").splitlines()
    assert "dvc.lock" in files
    assert not [f for f in files if f.startswith(("runs/", "zoos/", "measured/", "data/"))]


def test_after_a_pull_nothing_is_to_be_done(clone: Project):
    assert clone.planned() == Counter()


def test_a_pulled_zoo_opens_and_gives_models(clone: Project):
    zoo = phasezoo.open_zoo(clone.root / "zoos/tiny.zarr")
    model = phasezoo.load_model(zoo, width=7, batch_size=50, seed=1, epoch=2)
    assert sum(p.numel() for p in model.parameters()) == 64 * 7 + 7 + 7 * 10 + 10


def test_pulled_files_are_the_published_ones(clone: Project, finished: Project):
    assert clone.manifests() == finished.manifests()


def test_in_a_pulled_clone_only_new_cells_are_trained(clone: Project, params: dict):
    grown = yaml.safe_load(yaml.safe_dump(params))
    grown["zoos"]["tiny"]["load"]["values"] = [3, 5, 7]
    clone.write(grown)
    try:
        assert clone.planned()["train"] == 2
        assert clone.planned()["hessian"] == 1
    finally:
        clone.write(params)

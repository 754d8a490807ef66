"""A study shared with DVC: pushed to a remote in its own repository, cloned, pulled."""

from __future__ import annotations

import shutil
from copy import deepcopy
from functools import cache
from pathlib import Path

import yaml

from workflow.project import REPOSITORY, Project

AUTHOR = ("-c", "user.name=A", "-c", "user.email=a@example.org")


TINY = yaml.safe_load((REPOSITORY / "tests/workflow/tiny.yaml").read_text())


def small_params() -> dict:
    """The spec of a study of one cell, with no more families than it takes to have phases."""
    found = deepcopy(TINY)
    zoo = found["zoos"]["tiny"]
    zoo["load"]["values"], zoo["temperature"]["values"] = [3], [[20]]
    del zoo["merging"], zoo["transfer"], zoo["metrics"]["hessian"], found["data"]["turned"]
    return found


@cache
def small_study(root: Path) -> Project:
    """That study; made once per process, whichever test asks first, and to be copied by all."""
    project = Project.create(root, small_params())
    project.make()
    return project


def run(project: Project, *command: str) -> str:
    """Run a command that must succeed; returns what it said."""
    done = project.run(*command)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def stages() -> dict:
    """The project's own stages, for the tiny zoo in place of the default one."""
    found = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text().replace("digits-mlp", "tiny"))
    for stage in found["stages"].values():
        stage = stage.get("do", stage)
        stage["deps"] = [name for name in stage["deps"] if name != "src/phasezoo"]
    return found


def publish(finished: Project, root: Path) -> Project:
    """A copy of a finished study as a repository whose remote lies in itself, all of it pushed."""
    origin = Project(root)
    shutil.copytree(finished.root, origin.root)
    (origin.root / "dvc.yaml").write_text(yaml.safe_dump(stages(), sort_keys=False))
    run(origin, "git", "init", "-q", "-b", "main")
    run(origin, "dvc", "init", "-q")
    run(origin, "dvc", "remote", "add", "-q", "-d", "published", "published")
    run(origin, "dvc", "repro", "-q", "study")
    run(origin, "dvc", "push", "-q")
    run(origin, "git", "add", "-A")
    run(origin, "git", *AUTHOR, "commit", "-qm", "A study")
    return origin


def clone(origin: Project, root: Path, *wanted: str) -> Project:
    """A fresh clone, with what is `wanted` pulled; everything if nothing is named."""
    done = origin.run("git", "clone", "-q", str(origin.root), str(root))
    assert done.returncode == 0, done.stderr
    made = Project(root)
    run(made, "dvc", "pull", "-q", *wanted)
    return made

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest
import yaml

from slurm.cluster import SCRIPT, SNAKEMAKE, Cluster, missing
from workflow.project import REPOSITORY, Project

REQUIRED = os.environ.get("PHASEZOO_SLURM") == "required"  # as `make slurm` says


def _without_slurm(reason: str) -> None:
    """Skip, or fail where Slurm is what is to be tested."""
    (pytest.fail if REQUIRED else pytest.skip)(reason)


def _environment(said: str) -> dict[str, str]:
    """What the script tells a shell to export."""
    words = shlex.split(os.path.expandvars(said))
    return dict(word.split("=", 1) for word in words[1:])


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if lacking := missing():
        _without_slurm(f"no Slurm here: {', '.join(lacking)} not installed; see {SCRIPT.name}")
    if not REQUIRED:
        _without_slurm("starts a Slurm and takes seven minutes; say `make slurm`")
    folder = tmp_path_factory.mktemp("cluster")
    started = subprocess.run([SCRIPT, "start", folder], capture_output=True, text=True, check=False)
    if started.returncode:
        _without_slurm(f"Slurm does not start here: {started.stderr.strip()}")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _environment(started.stdout).items():
            patch.setenv(name, value)
        yield Cluster(folder)
        subprocess.run([SCRIPT, "stop", folder], check=True)


@pytest.fixture(scope="session")
def params() -> dict:
    return yaml.safe_load((REPOSITORY / "tests/workflow/tiny.yaml").read_text())


@pytest.fixture(scope="session")
def locally(tmp_path_factory: pytest.TempPathFactory, params: dict) -> Project:
    project = Project.create(tmp_path_factory.mktemp("locally") / "study", params)
    project.make()
    return project


@pytest.fixture(scope="session")
def on_slurm(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory, params: dict) -> Project:
    """The whole tiny study, every job of it through Slurm."""
    project = Project.create(tmp_path_factory.mktemp("on_slurm") / "study", params)
    done = project.run(*SNAKEMAKE)
    assert done.returncode == 0, done.stdout + done.stderr
    return project


@pytest.fixture(scope="session")
def on_gpus(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory, params: dict) -> Project:
    """Training and one measurement of a zoo that asks for GPUs."""
    asking = deepcopy(params)
    asking["zoos"]["tiny"]["training"]["device"] = "gpu"
    project = Project.create(tmp_path_factory.mktemp("on_gpus") / "study", asking)
    done = project.run(*SNAKEMAKE, "--until", "evaluate")
    assert done.returncode == 0, done.stdout + done.stderr
    return project


@pytest.fixture
def alone(tmp_path: Path, params: dict) -> Project:
    return Project.create(tmp_path / "study", params)

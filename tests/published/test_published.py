"""What the repository publishes: a clone pulls it, finds nothing to do, and reads it."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

import phasezoo
from phasezoo.store.dataset import read_task
from workflow import shared
from workflow.project import REPOSITORY, Project

pytestmark = [
    pytest.mark.workflow,
]

LIMIT = 8_000_000  # bytes, in git
ZOO = "zoos/digits-mlp.zarr"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """This repository as it is committed."""
    root = tmp_path_factory.mktemp("repository") / "phasezoo"
    command = ("git", "clone", "-q", "--no-hardlinks", str(REPOSITORY), str(root))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no git repository to clone: {done.stderr}")
    return Project(root)


@pytest.fixture(scope="module")
def pulled(repository: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return shared.clone(repository, tmp_path_factory.mktemp("pulled") / "phasezoo")


def test_the_remote_is_small_and_lies_in_the_repository(repository: Project):
    assert "url = ../published" in (repository.root / ".dvc/config").read_text()
    files = [p for p in (repository.root / "published").rglob("*") if p.is_file()]
    assert 0 < sum(p.stat().st_size for p in files) <= LIMIT


def test_after_a_pull_nothing_is_to_be_done(pulled: Project):
    planned = pulled.planned()
    assert planned == Counter(), "the code has moved on: snakemake --cores all && make publish"


def test_all_that_was_pulled_is_as_it_was_published(pulled: Project):
    done = pulled.run("phasezoo", "verify")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 missing, 0 altered, 0 leftover, 0 orphaned" in done.stdout


def test_the_zoo_alone_is_enough_for_a_reader(repository: Project, tmp_path: Path):
    reader = shared.clone(repository, tmp_path / "reader", ZOO)
    assert not (reader.root / "runs").exists()
    zoo = phasezoo.open_zoo(reader.root / ZOO)
    assert zoo.metrics.sizes["load"] * zoo.metrics.sizes["temperature"] * 3 == 126
    assert {1, 2, 3, 4, 5} <= set(np.unique(zoo.phases.phase).tolist())


def test_a_pulled_model_has_the_error_that_was_measured(pulled: Project):
    zoo = phasezoo.open_zoo(pulled.root / ZOO)
    task = read_task(pulled.root / "data/digits.json", torch.device("cpu"))
    cell = {"width": 32, "batch_size": 64, "seed": 1, "epoch": 60}
    with torch.no_grad():
        logits = phasezoo.load_model(zoo, **cell)(task.test_inputs)
    error = (logits.argmax(1) != task.test_labels).float().mean().item()
    stored = zoo.metrics.test_error.sel(load=32, temperature=64, seed=1, epoch=60)
    assert error == pytest.approx(float(stored), abs=1.5 / len(task.test_labels))

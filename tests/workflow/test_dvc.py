"""A study published with DVC: pushed, cloned, pulled, and nothing is to be done."""

from __future__ import annotations

from collections import Counter

import pytest
import yaml

import phasezoo
from workflow.project import Project
from workflow.shared import run

pytestmark = [pytest.mark.workflow]


def test_git_holds_no_arrays(pulled: Project):
    files = run(pulled, "git", "ls-files").splitlines()
    assert "dvc.lock" in files
    assert not [f for f in files if f.startswith(("runs/", "zoos/", "measured/", "data/"))]


def test_after_a_pull_nothing_is_to_be_done(pulled: Project):
    assert pulled.planned() == Counter()


def test_a_pulled_zoo_opens_and_gives_models(pulled: Project):
    zoo = phasezoo.open_zoo(pulled.root / "zoos/tiny.zarr")
    model = phasezoo.load_model(zoo, width=7, batch_size=50, seed=1, epoch=2)
    assert sum(p.numel() for p in model.parameters()) == 64 * 7 + 7 + 7 * 10 + 10


def test_pulled_files_are_the_published_ones(pulled: Project, finished: Project):
    assert pulled.manifests() == finished.manifests()


def test_in_a_pulled_clone_only_new_cells_are_trained(pulled: Project, params: dict):
    grown = yaml.safe_load(yaml.safe_dump(params))
    grown["zoos"]["tiny"]["load"]["values"] = [[3, 7], 5]
    pulled.write(grown)
    try:
        assert pulled.planned()["train"] == 2
        assert pulled.planned()["hessian"] == 1
    finally:
        pulled.write(params)

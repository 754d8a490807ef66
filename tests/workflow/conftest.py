from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest
import yaml

from workflow import shared
from workflow.project import Project


@pytest.fixture(scope="session")
def params() -> dict:
    return yaml.safe_load((Path(__file__).parent / "tiny.yaml").read_text())


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, params: dict) -> Project:
    """The tiny study, made once; tests that change it put it back."""
    project = Project.create(tmp_path_factory.mktemp("finished") / "study", params)
    project.make()
    return project


@pytest.fixture(scope="session")
def origin(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The finished study as a repository, published in itself."""
    before = finished.manifests()
    made = shared.publish(finished, tmp_path_factory.mktemp("origin") / "study")
    assert made.manifests() == before
    return made


@pytest.fixture(scope="session")
def pulled(origin: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A fresh clone of it, pulled; tests that change it put it back."""
    return shared.clone(origin, tmp_path_factory.mktemp("pulled") / "study")


@pytest.fixture(scope="session")
def small(params: dict) -> dict:
    """The spec of a study of one cell, with no more families than it takes to have phases."""
    found = deepcopy(params)
    zoo = found["zoos"]["tiny"]
    zoo["load"]["values"], zoo["temperature"]["values"] = [3], [[20]]
    del zoo["merging"], zoo["transfer"], zoo["metrics"]["hessian"], found["data"]["turned"]
    return found


@pytest.fixture(scope="session")
def small_origin(small: dict, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """That study as a repository, published in itself."""
    made = Project.create(tmp_path_factory.mktemp("small") / "study", small)
    made.make()
    return shared.publish(made, tmp_path_factory.mktemp("small-origin") / "study")

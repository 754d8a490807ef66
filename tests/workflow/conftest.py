from __future__ import annotations

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

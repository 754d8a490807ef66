from __future__ import annotations

from copy import deepcopy

import pytest

from workflow import shared
from workflow.project import Project


@pytest.fixture(scope="session")
def params() -> dict:
    return deepcopy(shared.TINY)


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
def small() -> dict:
    return shared.small_params()


@pytest.fixture(scope="session")
def small_origin(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """That study as a repository, published in itself."""
    made = shared.small_study(tmp_path_factory.getbasetemp() / "small")
    return shared.publish(made, tmp_path_factory.mktemp("small-origin") / "study")

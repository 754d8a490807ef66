from __future__ import annotations

from pathlib import Path

import pytest
import yaml

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

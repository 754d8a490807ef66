from __future__ import annotations

import pytest

from phasezoo.report.page import page
from report.mock import SMALL, mock


@pytest.fixture(scope="session")
def plain() -> str:
    """The page of a small zoo with metrics, merging and transfer, and nothing else."""
    return page([mock(**SMALL)])


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are made but not written as SVG, half the work of a page: for tests of its words."""
    monkeypatch.setattr("phasezoo.report.pictures.svg", lambda figure, name: "data:image/svg+xml,")

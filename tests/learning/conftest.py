from __future__ import annotations

import pytest

from steps.tiny import Tiny, made


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Two finished zoos, made once; a test that changes them puts them back."""
    return made(tmp_path_factory.getbasetemp() / "tiny")

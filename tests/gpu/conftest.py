"""Tests that need a GPU; where there is none they are skipped."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from phasezoo.steps.device import prepare

HERE = Path(__file__).parent
WITHOUT = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(WITHOUT)


@pytest.fixture(scope="session")
def gpu() -> torch.device:
    """The GPU as a job has it: deterministic kernels, float32 without tf32, a lease."""
    return prepare(1)

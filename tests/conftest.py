"""What every test shares."""

from __future__ import annotations

import pytest
import torch

torch.set_num_threads(1)  # the tensors are small; more threads cost more than they give


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of a module go to one process, which makes what they share once; long ones first."""
    for item in items:
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    items.sort(key=lambda item: not item.get_closest_marker("workflow"))

"""torchvision, where it is installed: its wheel may be of another torch, so without operators."""

from __future__ import annotations

from types import ModuleType

import pytest
import torch

_OPERATORS = torch.library.Library("torchvision", "FRAGMENT")


def torchvision() -> ModuleType:
    """The package; the test that asks is skipped where it cannot be imported."""
    for name in ("nms", "qnms"):  # what it registers when it is imported
        if not hasattr(torch.ops.torchvision, name):
            _OPERATORS.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return pytest.importorskip("torchvision", reason="torchvision is not installed")

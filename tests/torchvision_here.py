"""torchvision as an independent implementation, or a skip that says why it cannot be had."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import pytest
import torch

_kept: list[torch.library.Library] = []  # a schema lives as long as its library
_OPERATORS = ("nms", "qnms")  # those that are looked up while torchvision is imported


def torchvision() -> ModuleType:
    """The package; without its compiled operators, which models and transforms do not use.

    They are built for one build of torch. Beside another, importing the package fails at the
    first operator that is not there, so that the schemas of these are declared for it.
    """
    try:
        return _imported()
    except ImportError as problem:
        pytest.skip(f"torchvision is not here: {problem}")
    except RuntimeError as problem:
        if "torchvision::" not in str(problem):
            raise
    _declare()
    return _imported()


def _imported() -> ModuleType:
    for name in ("transforms.v2", "models"):
        importlib.import_module(f"torchvision.{name}")
    return importlib.import_module("torchvision")


def _declare() -> None:
    for name in [n for n in sys.modules if n.split(".")[0] == "torchvision"]:
        del sys.modules[name]  # half imported
    library = torch.library.Library("torchvision", "DEF")
    for name in _OPERATORS:
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _kept.append(library)

"""Weights out of `state_dict` files of unknown origin: nothing in them is run, all is checked."""

from __future__ import annotations

import hashlib
import io
import pickle
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from phasezoo.models.flat import Layout, Weights, buffer_layout, parameter_layout
from phasezoo.vocabulary import PhasezooError, Status

WRAPPERS = ("state_dict", "model_state_dict")
PREFIX = "module."  # of DataParallel
FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
WHOLES = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)
LISTED = 8  # names in one message


class StateError(PhasezooError):
    """A file does not hold the weights it should; one line per problem."""


@dataclass(frozen=True)
class Skeleton:
    """What a state dict must fit: tensors by name, and where each of them lies."""

    expected: Mapping[str, Tensor]
    parameters: Layout
    buffers: Layout

    @classmethod
    def of(cls, module: nn.Module) -> Skeleton:
        """That of a module."""
        tensors = dict(module.named_parameters()) | dict(module.named_buffers())
        return cls(tensors, parameter_layout(module), buffer_layout(module))

    @property
    def nothing(self) -> Weights:
        """The weights of a model that is not there: NaN."""
        sizes = (self.parameters.size, self.buffers.size)
        return Weights(*(torch.full((size,), torch.nan) for size in sizes))


@dataclass(frozen=True)
class State:
    """What a file holds.

    Attributes:
        weights: as float32; NaN throughout if any number is not finite.
        status: trained, or diverged.
        sha256: of the file.
        converted: the other floating types that it was stored in, such as ``float64``.
    """

    weights: Weights
    status: Status
    sha256: str
    converted: tuple[str, ...]


def read_state(path: Path, name: str, skeleton: Skeleton) -> State:
    """Read a file that `torch.save` made of a state dict.

    The dict may lie under ``state_dict`` or ``model_state_dict``, and its names may all begin with
    ``module.``. It is read with ``weights_only``, which makes no objects but tensors and plain
    containers.

    Args:
        path: of the file.
        name: what it is called in messages.
        skeleton: what it must fit.

    Raises:
        StateError: the file cannot be read, holds anything else, or does not fit.
    """
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise StateError(f"{name}: cannot be read ({problem.strerror})") from None
    tensors = _bare(_state_in(_loaded(content, name), name))
    if problems := list(_misfits(tensors, skeleton.expected)):
        raise StateError("\n".join(f"{name}: {problem}" for problem in problems))
    weights = Weights(skeleton.parameters.flatten(tensors), skeleton.buffers.flatten(tensors))
    diverged = not weights.finite
    return State(
        weights=skeleton.nothing if diverged else weights,
        status=Status.DIVERGED if diverged else Status.TRAINED,
        sha256=hashlib.sha256(content).hexdigest(),
        converted=tuple(sorted({_type(t) for t in tensors.values() if t.dtype in FLOATS[1:]})),
    )


def _loaded(content: bytes, name: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of old formats, which are read or refused below
            return torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")
    except pickle.UnpicklingError as problem:
        named = re.search(r"GLOBAL ([\w.]+)", str(problem))
        what = f"it names {named[1]}" if named else "it cannot be read"
        allowed = "what `torch.save(module.state_dict(), path)` writes, tensors and no objects"
        raise StateError(f"{name}: refused, {what}; allowed is {allowed}") from None
    except Exception as problem:  # bytes that are no such file fail in many ways
        said = " ".join(f"{type(problem).__name__} {problem}".split())[:100]
        raise StateError(f"{name}: cannot be read as a file of torch.save ({said})") from None


def _state_in(found: Any, name: str) -> Mapping[str, Any]:
    """The state dict in what was loaded, or under one of the names it is kept under."""
    if isinstance(found, Mapping):
        inner = (found.get(wrapper) for wrapper in WRAPPERS)
        found = next((state for state in inner if isinstance(state, Mapping)), found)
    if not isinstance(found, Mapping) or not all(isinstance(key, str) for key in found):
        raise StateError(f"{name}: got {type(found).__name__}, allowed is a dict of tensors")
    return found


def _bare(state: Mapping[str, Any]) -> dict[str, Any]:
    """The state under the names of the module itself."""
    wrapped = bool(state) and all(key.startswith(PREFIX) for key in state)
    return {key.removeprefix(PREFIX) if wrapped else key: value for key, value in state.items()}


def _misfits(state: Mapping[str, Any], expected: Mapping[str, Tensor]) -> Iterable[str]:
    if missing := [key for key in expected if key not in state]:
        yield f"tensors missing: {_listed(missing)}"
    if unexpected := [key for key in state if key not in expected]:
        yield f"tensors unexpected: {_listed(unexpected)}"
    for key, wanted in expected.items():
        if key in state:
            yield from _misfit(key, state[key], wanted)


def _misfit(key: str, found: Any, wanted: Tensor) -> Iterable[str]:
    if not isinstance(found, Tensor):
        yield f"{key}: got {type(found).__name__}, allowed is a tensor"
        return
    if found.shape != wanted.shape:
        yield f"{key}: got shape {tuple(found.shape)}, allowed is {tuple(wanted.shape)}"
    types = FLOATS if wanted.is_floating_point() else WHOLES
    if found.dtype not in types:
        allowed = ", ".join(str(each).removeprefix("torch.") for each in types)
        yield f"{key}: got type {_type(found)}, allowed are {allowed}"
    if found.layout is not torch.strided or found.device.type != "cpu":
        kind = f"{found.layout} tensor on {found.device}"
        yield f"{key}: got a {kind}, allowed is a dense one with values"


def _type(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more

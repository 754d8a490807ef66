"""A module from what a published store says of it: architecture, shapes, tensors by name."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar

import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor, nn

from phasezoo.models.build import build
from phasezoo.spec.architecture import Architecture
from phasezoo.spec.base import explain
from phasezoo.store.address import ZooError
from phasezoo.vocabulary import Number

T = TypeVar("T")

_ARCHITECTURE: TypeAdapter[Architecture] = TypeAdapter(Architecture)


def stored_spec(path: str, attrs: Mapping[Hashable, Any]) -> dict[str, Any]:
    """The spec as the store holds it, whichever version wrote it.

    Raises:
        ZooError: there is none.
    """
    text = _attribute(path, attrs, "spec")
    try:
        return dict(json.loads(text))
    except (TypeError, ValueError) as problem:
        raise ZooError(f"{path}: attribute spec: {problem}; allowed is a mapping in JSON") from None


def validated(validate: Callable[[Any], T], given: Any, source: str) -> T:
    """What a store holds, as a spec of today.

    Raises:
        ZooError: it was written by a version of this package with other keys; the first is named.
    """
    try:
        return validate(given)
    except ValidationError as problems:
        first = str(explain(problems, given, source)).splitlines()[0]
        raise ZooError(f"{first}; it was written by another version of phasezoo") from None


def blank(path: str, attrs: Mapping[Hashable, Any], load: Mapping[str, Number]) -> nn.Module:
    """The module of a zoo's architecture at one load; its weights are not to be used as they are.

    Args:
        path: of the zoo, to name it in errors.
        attrs: of its root: `input_shape`, `classes`, and of `spec` the architecture alone.
        load: the hyperparameter that realises it, and its value.

    Raises:
        ZooError: this version of the package does not know the architecture.
    """
    given = stored_spec(path, attrs).get("architecture")
    known = validated(_ARCHITECTURE.validate_python, given, f"{path}: spec: architecture")
    for name, value in load.items():
        known = known.at(name, value)
    shape, classes = (_attribute(path, attrs, key) for key in ("input_shape", "classes"))
    return build(known, tuple(shape), int(classes))


@torch.no_grad()
def filled(path: str, module: nn.Module, tensors: Mapping[str, Tensor]) -> nn.Module:
    """Copy stored tensors into a module and return it; whole-number buffers are cast back.

    Raises:
        ZooError: this version of the package builds the module with other tensors.
    """
    places = dict(module.named_parameters()) | dict(module.named_buffers())
    stored, here = ({name: tuple(t.shape) for name, t in of.items()} for of in (tensors, places))
    if stored != here:
        name = min(name for name, _ in stored.items() ^ here.items())
        raise ZooError(
            f"{path}: tensor {name}: got {stored.get(name, 'none')}, allowed is "
            f"{here.get(name, 'none')} in a module of this version of phasezoo; "
            f"weights() reads it without"
        )
    for name, place in places.items():
        place.copy_(tensors[name])
    return module


def _attribute(path: str, attrs: Mapping[Hashable, Any], name: str) -> Any:
    if name not in attrs:
        known = ", ".join(map(str, attrs))
        raise ZooError(f"{path}: attribute {name} is missing; there are {known}")
    return attrs[name]

"""How many numbers a network has, without making any of them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from phasezoo.cost import Size
from phasezoo.data.inputs import Inputs
from phasezoo.models.build import build
from phasezoo.spec import jobs
from phasezoo.spec.architecture import Architecture
from phasezoo.spec.zoo import Zoo
from phasezoo.vocabulary import Number


def sizes_of(zoo: Zoo, inputs: Inputs, loads: Iterable[Number]) -> dict[Number, Size]:
    """Sizes of the models of a zoo at some loads.

    Raises:
        ArchitectureError: the architecture takes no such inputs.
    """
    return {load: size_of(jobs.at_load(zoo, load), inputs) for load in loads}


@functools.cache
def size_of(architecture: Architecture, inputs: Inputs) -> Size:
    """Parameters, each once where layers share them, and buffers of a network with its size set.

    Raises:
        ArchitectureError: it takes no such inputs.
    """
    with torch.device("meta"), _Unset():
        module = build(architecture, inputs.shape, inputs.outputs)
    counts = (sum(t.numel() for t in of()) for of in (module.parameters, module.buffers))
    return Size(*counts)


class _Unset(TorchFunctionMode):
    """Leaves out initial values, which tensors without storage do not have.

    Drawing them loads a second of modules.
    """

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if getattr(function, "__module__", None) == "torch.nn.init":
            return args[0] if args else (kwargs or {})["tensor"]
        return function(*args, **(kwargs or {}))

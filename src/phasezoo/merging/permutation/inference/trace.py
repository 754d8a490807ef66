"""The graph of a module: what it does with its tensors and an example, operation by operation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn
from torch._decomp import core_aten_decompositions
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.func import functional_call
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._pytree import tree_flatten

from phasezoo.merging.permutation.spec import AlignmentError

Example = Tensor | tuple[Tensor, ...]


@dataclass(frozen=True)
class Trace:
    """Operations of ATen in their order, and where the tensors of the module enter.

    Attributes:
        graph: its nodes carry the shapes of what they make in ``meta["val"]``.
        tensors: node of every parameter and buffer, by name.
    """

    graph: fx.Graph
    tensors: dict[str, fx.Node]


def trace(module: nn.Module, example: Example) -> Trace:
    """The graph of a module in evaluation mode; nothing is computed, and the module stays as it is.

    Raises:
        AlignmentError: the graph depends on the values of tensors.
    """
    inputs = example if isinstance(example, tuple) else (example,)
    tensors = tensors_of(module)

    def function(*flat: Tensor) -> object:
        given = dict(zip(tensors, flat, strict=False))
        return tensors_in(functional_call(module, given, flat[len(tensors) :]))

    with evaluating(module), torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        try:
            flat = _fakes((*tensors.values(), *inputs))
            graph = make_fx(function, dict(core_aten_decompositions()))(*flat).graph
        except Exception as error:
            said = str(error).strip().partition("\n")[0]
            raise AlignmentError(f"{type(module).__name__}: cannot be traced ({said})") from error
    _without_strides(graph)
    entries = [node for node in graph.nodes if node.op == "placeholder"]
    return Trace(graph, dict(zip(tensors, entries, strict=False)))


def _without_strides(graph: fx.Graph) -> None:
    """Takes out what gives a tensor other strides along axes of one entry, and changes nothing."""
    for node in graph.nodes:
        if node.target in (torch.ops.aten.as_strided.default, torch.ops.aten.as_strided_.default):
            before, after = node.args[0].meta["val"], node.meta["val"]
            if before.shape == after.shape and _steps(before) == _steps(after):
                node.replace_all_uses_with(node.args[0])
                graph.erase_node(node)


def _steps(tensor: Tensor) -> list[int]:
    along = zip(tensor.shape, tensor.stride(), strict=True)
    return [int(tensor.storage_offset()), *(stride for size, stride in along if size > 1)]


def tensors_in(output: object) -> list[Tensor]:
    """What a module gives back; objects that are no tensors, such as caches, are passed over."""
    return [leaf for leaf in tree_flatten(output)[0] if isinstance(leaf, Tensor)]


def _fakes(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Tensors without storage; float64, for which no layer has a kernel that is not products."""
    mode = FakeTensorMode(allow_non_fake_inputs=True)
    fakes = [mode.from_tensor(tensor) for tensor in tensors]
    return [fake.double() if fake.is_floating_point() else fake for fake in fakes]


def tensors_of(module: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers by name, each once where layers share them."""
    return dict(module.named_parameters()) | dict(module.named_buffers())


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Evaluation mode, as long as the context is open."""
    training = [part for part in module.modules() if part.training]
    module.eval()
    try:
        yield
    finally:
        for part in training:
            part.training = True

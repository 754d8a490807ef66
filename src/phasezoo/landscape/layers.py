"""Squared norms of the gradients of single samples, layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

SquaredNorm = Callable[[Tensor], Tensor]
Tap = tuple[Tensor, SquaredNorm]


def _linear(layer: nn.Linear, inputs: Tensor) -> SquaredNorm:
    """Gradients d a^T of the weight and d of the bias: |d|^2 (|a|^2 + 1)."""
    size = inputs.square().sum(1).double() + (layer.bias is not None)
    return lambda d: d.square().sum(1).double() * size


def _convolution(layer: nn.Conv2d, inputs: Tensor) -> SquaredNorm:
    """The gradient of the weight is the sum over places of d times the patch seen there."""
    padding = layer.padding if isinstance(layer.padding, tuple) else (0, 0)
    patches = functional.unfold(
        inputs, layer.kernel_size, layer.dilation, padding, layer.stride
    ).transpose(1, 2)  # [n, L, C k k]

    def squared(d: Tensor) -> Tensor:
        out = torch.bmm(d.flatten(2), patches).flatten(1).square().sum(1).double()
        return out if layer.bias is None else out + d.sum((2, 3)).square().sum(1).double()

    return squared


def _batch_norm(layer: nn.BatchNorm2d, inputs: Tensor) -> SquaredNorm:
    """Scale and shift of fixed statistics."""
    scaled = functional.batch_norm(
        inputs, layer.running_mean, layer.running_var, training=False, eps=layer.eps
    )

    def squared(d: Tensor) -> Tensor:
        scale, shift = (d * scaled).sum((2, 3)), d.sum((2, 3))
        return (scale.square() + shift.square()).sum(1).double()

    return squared


_LAYERS: dict[type[nn.Module], Callable[..., SquaredNorm]] = {
    nn.Linear: _linear,
    nn.Conv2d: _convolution,
    nn.BatchNorm2d: _batch_norm,
}


def is_known(layer: nn.Module) -> bool:
    """Whether there is a formula for a layer that has parameters."""
    match layer:
        case nn.Conv2d():
            plain = layer.groups == 1 and layer.padding_mode == "zeros"
            return type(layer) in _LAYERS and plain and isinstance(layer.padding, tuple)
        case nn.BatchNorm2d():
            return type(layer) in _LAYERS and layer.affine and layer.track_running_stats
        case _:
            return type(layer) in _LAYERS


def with_parameters(module: nn.Module) -> list[nn.Module]:
    """The layers that hold parameters themselves."""
    return [m for m in module.modules() if any(True for _ in m.parameters(recurse=False))]


@contextmanager
def taps(module: nn.Module) -> Iterator[list[Tap]]:
    """Collects the output of each layer in a forward pass, and the norm that belongs to it.

    For d = d f / d output of a layer, [n, ...], the function gives the squared norm [n] of the
    gradient of f with respect to the layer's parameters, for each sample, in float64. Only the
    outputs require gradients, the parameters need not.
    """
    found: list[Tap] = []

    def tap(layer: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
        with torch.no_grad():
            found.append((output.requires_grad_(), _LAYERS[type(layer)](layer, inputs[0])))
        return output

    hooks = [layer.register_forward_hook(tap) for layer in with_parameters(module)]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()

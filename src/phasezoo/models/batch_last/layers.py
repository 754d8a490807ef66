"""A residual network whose layers compute a stack of models at once."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from phasezoo.models.batch_last.convolution import Kernel, convolve
from phasezoo.models.batch_last.norm import normalised
from phasezoo.models.resnet import ResNet

Tensors = Mapping[str, Tensor]
LAYERS = (nn.Conv2d, nn.BatchNorm2d, nn.Linear)
# Output channels of the widest convolution. With more of them torch's own convolutions keep the
# processor as busy as products of matrices do (benchmarks/README.md).
CHANNELS = 8


def is_narrow(module: nn.Module) -> bool:
    """Whether a stack of models of this architecture is faster here than one after the other."""
    widths = [layer.out_channels for layer in module.modules() if isinstance(layer, nn.Conv2d)]
    return can_stack(module) and max(widths) <= CHANNELS


def can_stack(module: nn.Module) -> bool:
    """Whether `StackedResNet` takes a module: a residual network of the layers that it knows."""
    leaves = [layer for layer in module.modules() if not list(layer.children())]
    return isinstance(module, ResNet) and all(
        isinstance(layer, (*LAYERS, nn.Identity)) for layer in leaves
    )


class StackedResNet:
    """Many models of one residual network as one program, in training mode.

    Outputs have first derivatives only; a second backward pass is refused by torch.
    """

    def __init__(self, module: nn.Module) -> None:
        """Take the architecture of `module`, which is not changed.

        Raises:
            ValueError: the module is not one that `can_stack` allows.
        """
        if not can_stack(module):
            raise ValueError(f"module: got {type(module).__name__}, allowed are residual networks")
        self._module = copy.deepcopy(module)
        self._layers: dict[str, _Stacked] = {}
        for name, layer in module.named_modules():
            if isinstance(layer, LAYERS):
                self._layers[name] = _stacked(layer)
                self._module.set_submodule(name, self._layers[name])

    def __call__(self, tensors: Tensors, inputs: Tensor) -> Tensor:
        """Logits [M, N, classes] of parameters [M, ...] by name and inputs [M, N, C, H, W]."""
        for name, layer in self._layers.items():
            layer.take(tensors, name)
        logits: Tensor = self._module(inputs)
        return logits


class _Stacked(nn.Module):
    """A layer without tensors of its own."""

    names: ClassVar = ("weight", "bias")

    def take(self, tensors: Tensors, layer: str) -> None:
        """Compute with those of a layer."""
        self.tensors = [tensors[f"{layer}.{name}"] for name in self.names]


class _Convolution(_Stacked):
    names = ("weight",)

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        self.kernel = Kernel(layer.kernel_size[0], layer.stride[0], int(layer.padding[0]))

    def forward(self, features: Tensor) -> Tensor:
        return convolve(features, *self.tensors, self.kernel)


class _Norm(_Stacked):
    def __init__(self, layer: nn.BatchNorm2d) -> None:
        super().__init__()
        self.epsilon = layer.eps

    def forward(self, features: Tensor) -> Tensor:
        return normalised(features, *self.tensors, self.epsilon)


class _Linear(_Stacked):
    def forward(self, features: Tensor) -> Tensor:
        weight, bias = self.tensors
        return torch.baddbmm(bias[:, None], features, weight.mT)


def _stacked(layer: nn.Module) -> _Stacked:
    match layer:
        case nn.Conv2d():
            return _Convolution(layer)
        case nn.BatchNorm2d():
            return _Norm(layer)
        case _:
            return _Linear()

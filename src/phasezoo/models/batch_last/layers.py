"""A residual network whose layers compute a stack of models at once."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from phasezoo.models.batch_last.convolution import Kernel, convolve
from phasezoo.models.batch_last.norm import moments, normalised, scaled
from phasezoo.models.resnet import ResNet

Tensors = Mapping[str, Tensor]
Statistics = Mapping[str, tuple[Tensor, Tensor]]  # mean and variance [M, C] by the name of a norm
_NONE = torch.empty(0)  # the shift of a layer without one
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
    """Many models of one residual network as one program.

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
        self._norms = {n: norm for n, norm in self._layers.items() if isinstance(norm, _Norm)}

    def __call__(self, tensors: Tensors, inputs: Tensor) -> Tensor:
        """Logits [M, N, classes] in training mode, from statistics of the batch.

        Args:
            tensors: parameters [M, ...] by name.
            inputs: [M, N, C, H, W].
        """
        for norm in self._norms.values():
            norm.by = norm.of_batch
        return self._run(tensors, inputs)

    @torch.no_grad()
    def statistics(self, tensors: Tensors, inputs: Tensor) -> Statistics:
        """Means and unbiased variances [M, C] of a batch, for each norm."""
        for norm in self._norms.values():
            norm.by = norm.of_seen
        self._run(tensors, inputs)
        return {name: norm.statistics for name, norm in self._norms.items()}

    @torch.no_grad()
    def evaluate(self, tensors: Tensors, statistics: Statistics, inputs: Tensor) -> Tensor:
        """Logits in evaluation mode, without gradients."""
        for name, norm in self._norms.items():
            norm.by, norm.statistics = norm.of_given, statistics[name]
        return self._run(tensors, inputs)

    def _run(self, tensors: Tensors, inputs: Tensor) -> Tensor:
        for name, layer in self._layers.items():
            layer.take(tensors, name)
        logits: Tensor = self._module(inputs)
        return logits


class _Stacked(nn.Module):
    """A layer without tensors of its own."""

    def take(self, tensors: Tensors, name: str) -> None:
        """Compute with those of a layer that is called so."""
        self.weight, self.shift = tensors[f"{name}.weight"], tensors.get(f"{name}.bias", _NONE)


class _Convolution(_Stacked):
    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        self.kernel = Kernel(layer.kernel_size[0], layer.stride[0], int(layer.padding[0]))

    def forward(self, features: Tensor) -> Tensor:
        return convolve(features, self.weight, self.kernel)


class _Norm(_Stacked):
    """A batch norm by the statistics that `by` takes."""

    def __init__(self, layer: nn.BatchNorm2d) -> None:
        super().__init__()
        self.epsilon = layer.eps
        self.by: Callable[[Tensor], Tensor] = self.of_batch
        self.statistics: tuple[Tensor, Tensor]

    def forward(self, features: Tensor) -> Tensor:
        return self.by(features)

    def of_batch(self, features: Tensor) -> Tensor:
        """By those of the batch, through which gradients flow."""
        return normalised(features, self.weight, self.shift, self.epsilon)

    def of_seen(self, features: Tensor) -> Tensor:
        """By those of the batch, which are kept; the variances that are kept are unbiased."""
        mean, variance = moments(features)
        count = features.numel() // mean.numel()
        self.statistics = mean, variance * (count / max(1, count - 1))
        return scaled(features, mean, variance, self.weight, self.shift, self.epsilon)

    def of_given(self, features: Tensor) -> Tensor:
        """By those that were kept."""
        return scaled(features, *self.statistics, self.weight, self.shift, self.epsilon)


class _Linear(_Stacked):
    def forward(self, features: Tensor) -> Tensor:
        return torch.baddbmm(self.shift[:, None], features, self.weight.mT)


def _stacked(layer: nn.Module) -> _Stacked:
    match layer:
        case nn.Conv2d():
            return _Convolution(layer)
        case nn.BatchNorm2d():
            return _Norm(layer)
        case _:
            return _Linear()

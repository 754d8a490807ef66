"""The function of a stack of models of one architecture, on rows that are stacked alike.

Inputs of N models are [N B, ...], those of the first model first, and so are the outputs: what
judges them need not know that they are of several models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from phasezoo.data.objective import Function
from phasezoo.models.applied import applied
from phasezoo.models.mlp import MLP

Tensors = Mapping[str, Tensor]  # parameters and buffers by name, [N, ...]
Functions = Callable[[Tensors], Function]


def functions_of(module: nn.Module, models: int) -> Functions:
    """What makes the function of a stack from its tensors.

    One model is the plain module. Perceptrons are batched matrix products, which take half the time
    of a mapped module on a CPU; everything else is mapped over by ``torch.func.vmap``, which makes
    grouped convolutions of convolutions, and statistics of batch norm that each model has for
    itself. Buffers are updated in place.

    Args:
        module: the architecture, in the mode to compute in.
        models: N.
    """
    if models == 1:
        return lambda tensors: applied(module, {name: t[0] for name, t in tensors.items()})
    if isinstance(module, MLP):
        return lambda tensors: _Perceptrons(module, tensors, models)
    return lambda tensors: _mapped(module, tensors, models)


def _mapped(module: nn.Module, tensors: Tensors, models: int) -> Function:
    call = vmap(lambda own, inputs: functional_call(module, own, (inputs,)))

    def function(inputs: Tensor) -> Tensor:
        outputs: Tensor = call(dict(tensors), inputs.unflatten(0, (models, -1)))
        return outputs.flatten(0, 1)

    return function


class _Perceptrons:
    """Multilayer perceptrons, each layer one batched product."""

    def __init__(self, module: MLP, tensors: Tensors, models: int) -> None:
        names = [*(f"hidden.{index}" for index in range(len(module.hidden))), "head"]
        layers = [(tensors[f"{n}.weight"].mT, tensors[f"{n}.bias"][:, None]) for n in names]
        self._hidden, self._head = layers[:-1], layers[-1]
        self._activation, self._models = module.activation, models

    def __call__(self, inputs: Tensor) -> Tensor:
        """Outputs [N B, K] of inputs [N B, ...]."""
        features = self._rows(inputs.flatten(1))
        for weight, bias in self._hidden:
            features = self._activation(torch.baddbmm(bias, features, weight))
        weight, bias = self._head
        return torch.baddbmm(bias, features, weight).flatten(0, 1)

    def along(self, points: Tensor, tangent: Tensor) -> tuple[Tensor, Tensor]:
        """Values [N B, K] and derivatives along tangents [N B, D], as `models.pinn` has them."""
        features, slope = self._rows(points), self._rows(tangent)
        for weight, bias in self._hidden:
            features = self._activation(torch.baddbmm(bias, features, weight))
            slope = torch.bmm(slope, weight) * (1 - features.square())
        weight, bias = self._head
        values = torch.baddbmm(bias, features, weight)
        return values.flatten(0, 1), torch.bmm(slope, weight).flatten(0, 1)

    def _rows(self, inputs: Tensor) -> Tensor:
        rows: Tensor = inputs.unflatten(0, (self._models, -1))
        return rows

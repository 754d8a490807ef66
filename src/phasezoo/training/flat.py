"""The parameters of a module as one vector, which an optimiser updates in place."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from phasezoo.models.flat import parameter_layout


class FlatVector(ABC):
    """An optimiser of a module whose parameters are views of one vector.

    For small networks the cost of a step is the number of kernels it launches; on one vector an
    update takes a few, whatever the number of tensors.
    """

    def __init__(self, module: nn.Module) -> None:
        """Take over the parameters of `module`."""
        self.layout = parameter_layout(module)
        parameters = dict(module.named_parameters())
        self.vector = torch.cat([p.detach().reshape(-1) for p in parameters.values()])
        self.gradient = torch.zeros_like(self.vector)
        values, gradients = (self.layout.unflatten(v) for v in (self.vector, self.gradient))
        for name, parameter in parameters.items():
            parameter.data, parameter.grad = values[name], gradients[name]

    def zero_grad(self) -> None:
        """Forget the gradient; backward passes add to it in place."""
        self.gradient.zero_()

    @property
    @abstractmethod
    def state(self) -> Tensor:
        """What it needs to go on from here, [k, P]."""


class FlatStepper(FlatVector):
    """An optimiser that takes a step after each gradient."""

    @abstractmethod
    def step(self, rate: float, momentum: float) -> None:
        """One update with a learning rate and a momentum (of Adam: b1)."""

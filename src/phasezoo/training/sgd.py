"""SGD with momentum on one flat vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from phasezoo.models.flat import parameter_layout
from phasezoo.spec.training import Sgd


class FlatSgd:
    """``torch.optim.SGD`` on a module whose parameters are views of one vector.

    For small networks the cost of a step is the number of kernels it launches; on one vector an
    update takes four, whatever the number of tensors. The arithmetic is torch's, to the bit:
    d = g + wd p, b = m b + d, p = p - lr (b, or d + m b with Nesterov).
    """

    def __init__(self, module: nn.Module, spec: Sgd, momentum: Tensor) -> None:
        """Take over the parameters of `module`; `momentum` [P] is the state to go on from."""
        self.spec = spec
        self.layout = parameter_layout(module)
        parameters = dict(module.named_parameters())
        device = next(iter(parameters.values())).device
        self.vector = self.layout.flatten(parameters).to(device)
        self.gradient = torch.zeros_like(self.vector)
        self.momentum = momentum.to(device, copy=True)
        values, gradients = (self.layout.unflatten(v) for v in (self.vector, self.gradient))
        for name, parameter in parameters.items():
            parameter.data, parameter.grad = values[name], gradients[name]

    def zero_grad(self) -> None:
        """Forget the gradient; backward passes add to it in place."""
        self.gradient.zero_()

    @torch.no_grad()
    def step(self, rate: float, momentum: float) -> None:
        """One update with a learning rate and a momentum."""
        if self.spec.weight_decay:
            self.gradient.add_(self.vector, alpha=self.spec.weight_decay)
        self.momentum.mul_(momentum).add_(self.gradient)
        update = self.momentum
        if self.spec.nesterov:
            update = self.gradient.add_(self.momentum, alpha=momentum)
        self.vector.add_(update, alpha=-rate)

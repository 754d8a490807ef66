"""SGD with momentum on one flat vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from phasezoo.spec.training import Sgd
from phasezoo.training.flat import FlatStepper


class FlatSgd(FlatStepper):
    """``torch.optim.SGD`` on a module whose parameters are views of one vector.

    The arithmetic is torch's, to the bit:
    d = g + wd p, b = m b + d, p = p - lr (b, or d + m b with Nesterov).
    """

    def __init__(self, module: nn.Module, spec: Sgd, momentum: Tensor) -> None:
        """Take over the parameters of `module`; `momentum` [P] is the state to go on from."""
        super().__init__(module)
        self.spec = spec
        self.momentum = momentum.to(self.vector, copy=True)

    @property
    def state(self) -> Tensor:
        """The momentum, [1, P]."""
        return self.momentum[None]

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

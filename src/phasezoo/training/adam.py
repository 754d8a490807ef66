"""AdamW on one flat vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from phasezoo.spec.training import AdamW
from phasezoo.training.flat import FlatStepper


class FlatAdamW(FlatStepper):
    """``torch.optim.AdamW`` on a module whose parameters are views of one vector.

    The arithmetic is torch's, to the bit (Loshchilov and Hutter 2019, algorithm 2):
    m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2,
    p = (1 - lr wd) p - lr / (1 - b1^k) m / (sqrt(v / (1 - b2^k)) + eps) at step k.
    """

    def __init__(self, module: nn.Module, spec: AdamW, state: Tensor, steps: int) -> None:
        """Take over the parameters of `module`; `state` [2, P] is m and v after `steps` steps."""
        super().__init__(module)
        self.spec, self.steps = spec, steps
        self.mean, self.square = state.to(self.vector, copy=True)

    @property
    def state(self) -> Tensor:
        """M and v, [2, P]."""
        return torch.stack([self.mean, self.square])

    @torch.no_grad()
    def step(self, rate: float, momentum: float) -> None:
        """One update with a learning rate and b1."""
        self.steps += 1
        decay, second = self.spec.weight_decay or 0.0, self.spec.second_moment
        if decay:
            self.vector.mul_(1 - rate * decay)
        self.mean.lerp_(self.gradient, 1 - momentum)
        self.square.mul_(second).addcmul_(self.gradient, self.gradient, value=1 - second)
        scale = (1 - second**self.steps) ** 0.5
        below = (self.square.sqrt() / scale).add_(self.spec.epsilon)
        self.vector.addcdiv_(self.mean, below, value=-rate / (1 - momentum**self.steps))

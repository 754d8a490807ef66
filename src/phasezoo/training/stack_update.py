"""Optimisers of a stack: the arithmetic of `sgd` and `adam`, with rates of each model's own.

What differs between models or steps is a column [N, 1], so that a step can be captured once and
run with other numbers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from phasezoo.spec.training import AdamW, Optimiser, Sgd


class Update(ABC):
    """An optimiser of vectors [N, P]."""

    columns: int  # numbers of each model that a step needs

    @abstractmethod
    def table(self, rates: Tensor, first: int) -> Tensor:
        """The numbers of steps, [T, N, columns] float64.

        Args:
            rates: [T, N, 2], learning rates and momenta.
            first: steps taken before them.
        """

    @abstractmethod
    def step(self, vectors: Tensor, gradients: Tensor, moments: Tensor, row: Tensor) -> None:
        """Update vectors [N, P] and moments [k, N, P] in place; gradients are spent.

        Args:
            vectors: parameters.
            gradients: of the same shape.
            moments: what is carried along.
            row: [N, columns] of `table`.
        """


class StackedSgd(Update):
    """SGD with momentum: d = g + wd p, b = m b + d, p = p - lr (b, or d + m b with Nesterov)."""

    columns = 2

    def __init__(self, specs: Sequence[Sgd], like: Tensor) -> None:
        """Of models whose vectors are `like` [N, P]."""
        self.nesterov = specs[0].nesterov
        self.decay = _decays(specs, like)

    def table(self, rates: Tensor, first: int) -> Tensor:
        """Learning rates and momenta."""
        return rates

    def step(self, vectors: Tensor, gradients: Tensor, moments: Tensor, row: Tensor) -> None:
        """One update."""
        rate, momentum = row.split(1, dim=1)
        gradients.addcmul_(vectors, self.decay)
        (mean,) = moments
        mean.mul_(momentum).add_(gradients)
        update = gradients.addcmul_(mean, momentum) if self.nesterov else mean
        vectors.addcmul_(update, rate, value=-1)


class StackedAdamW(Update):
    """AdamW, as `training.adam` has it: columns are lr, 1 - b1, the two corrections of bias."""

    columns = 4

    def __init__(self, specs: Sequence[AdamW], like: Tensor) -> None:
        """Of models whose vectors are `like` [N, P]."""
        self.second, self.epsilon = specs[0].second_moment, specs[0].epsilon
        self.decay = _decays(specs, like)

    def table(self, rates: Tensor, first: int) -> Tensor:
        """Lr, 1 - b1, sqrt(1 - b2^k), lr / (1 - b1^k) at step k."""
        rate, momentum = rates.unbind(dim=2)
        k = torch.arange(first + 1, first + 1 + len(rates), dtype=rates.dtype)[:, None]
        scale = (1 - self.second**k).sqrt().expand_as(rate)
        return torch.stack([rate, 1 - momentum, scale, rate / (1 - momentum**k)], dim=2)

    def step(self, vectors: Tensor, gradients: Tensor, moments: Tensor, row: Tensor) -> None:
        """One update."""
        rate, blend, scale, length = row.split(1, dim=1)
        mean, square = moments
        vectors.mul_(1 - rate * self.decay)
        mean.lerp_(gradients, blend)
        square.mul_(self.second).addcmul_(gradients, gradients, value=1 - self.second)
        below = (square.sqrt() / scale).add_(self.epsilon)
        vectors.addcdiv_(mean * length, below, value=-1)


def update_of(specs: Sequence[Optimiser], like: Tensor) -> Update:
    """The optimiser of models that differ in learning rate, momentum and weight decay only."""
    if isinstance(specs[0], AdamW):
        return StackedAdamW([spec for spec in specs if isinstance(spec, AdamW)], like)
    return StackedSgd([spec for spec in specs if isinstance(spec, Sgd)], like)


def _decays(specs: Sequence[Sgd] | Sequence[AdamW], like: Tensor) -> Tensor:
    """Weight decay of every model, [N, 1]."""
    return like.new_tensor([spec.weight_decay or 0.0 for spec in specs])[:, None]

"""A model at an epoch."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from phasezoo.models.flat import Weights
from phasezoo.vocabulary import Status


@dataclass(frozen=True)
class Checkpoint:
    """A model at an epoch, with all that training needs to go on from there.

    `state` [k, P] is what the optimiser carries along: the running mean of gradients and, with
    Adam, that of their squares; of L-BFGS see `phasezoo.training.lbfgs`. The order of samples needs
    no state, because the generator of each epoch is made from names.
    """

    epoch: int
    weights: Weights
    state: Tensor
    status: Status

    @property
    def momentum(self) -> Tensor:
        """The running mean of gradients, [P]."""
        return self.state[0]

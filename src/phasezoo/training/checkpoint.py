"""A model at an epoch."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from phasezoo.models.flat import Weights
from phasezoo.vocabulary import Status


@dataclass(frozen=True)
class Checkpoint:
    """A model at an epoch, with all that training needs to go on from there.

    `momentum` [P] is the optimiser's running mean of gradients; the order of samples needs no
    state, because the generator of each epoch is made from names.
    """

    epoch: int
    weights: Weights
    momentum: Tensor
    status: Status

"""A model at an epoch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
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


def diverged(checkpoint: Checkpoint) -> Checkpoint:
    """The same without numbers: a model that diverged has none to go on with."""
    nothing = Weights(
        torch.full_like(checkpoint.weights.parameters, torch.nan),
        torch.full_like(checkpoint.weights.buffers, torch.nan),
    )
    return replace(checkpoint, weights=nothing, status=Status.DIVERGED)


def with_last_state(checkpoints: Iterable[Checkpoint]) -> list[Checkpoint]:
    """Checkpoints of which only the last keeps its optimiser's state, as large as the weights."""
    found: list[Checkpoint] = []
    for checkpoint in checkpoints:
        if found:
            found[-1] = replace(found[-1], state=torch.empty(0))
        found.append(checkpoint)
    return found

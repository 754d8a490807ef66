"""Training with some of the weights held where they are: those of a body, or removed ones.

Every step is that of ordinary training; what is held is put back after it. The other weights go
as if it had no gradient, because SGD and AdamW move each weight by its own gradient alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from phasezoo.spec.training import Lbfgs
from phasezoo.training.checkpoint import Checkpoint
from phasezoo.training.fit import bytes_of, free_bytes
from phasezoo.training.member import Member, alike
from phasezoo.training.stacked import Stacked
from phasezoo.transfer.together import together


class Held(Stacked):
    """Models on their way, of which only some weights move."""

    def __init__(
        self,
        module: nn.Module,
        members: Sequence[Member],
        last: int,
        free: Tensor,
        still: bool = False,
    ) -> None:
        """Members as of `Stacked`.

        Args:
            module: the architecture, on the device.
            members: of one kind.
            last: epoch up to which they are trained.
            free: [N, P], the weights that move.
            still: whether normalisation statistics stay as they are too.
        """
        super().__init__(module, members, last)
        self._free = free.to(self.stack.vectors.device)
        self._kept = self.stack.vectors.detach().clone()
        self._still = still

    def begin(self, epochs: int) -> None:
        """Fill the tables of a stretch."""
        super().begin(epochs)
        self.module.train(not self._still)

    def _step(self, size: int) -> None:
        super()._step(size)
        with torch.no_grad():
            vectors = self.stack.vectors
            vectors.copy_(torch.where(self._free, vectors, self._kept))


def train_held(
    module: nn.Module,
    members: Sequence[Member],
    free: Tensor,
    epochs: int,
    still: bool = False,
) -> list[Checkpoint]:
    """What becomes of models of one kind after some epochs.

    Args:
        module: the architecture, on the device; its weights are lost.
        members: the models, with the weights that they start from.
        free: [N, P], the weights that move.
        epochs: of training.
        still: whether normalisation statistics stay as they are too.

    Raises:
        ValueError: the optimiser is L-BFGS, or the members are of several kinds.
    """
    if not members:
        return []
    if isinstance(members[0].optimisation.optimiser, Lbfgs):
        raise ValueError("optimiser: got lbfgs, allowed is sgd or adamw, where weights are held")
    if len(alike(members)) > 1:
        raise ValueError(f"members: got {len(alike(members))} kinds, allowed is one")
    found = []
    size = _stack_size(module, members)
    for start in range(0, len(members), size):
        rows = slice(start, start + size)
        run = Held(module, members[rows], epochs, free[rows], still)
        run.run(epochs)
        found += [run.checkpoint(row, epochs) for row in range(len(run.stack))]
    return found


def _stack_size(module: nn.Module, members: Sequence[Member]) -> int:
    """How many to train as one: as set, or by the rule; on a GPU as many as fit into memory."""
    first = members[0]
    how, device = first.optimisation, next(module.parameters()).device
    if how.stack == "one":
        return 1
    if isinstance(how.stack, int):
        return how.stack
    if device.type == "cpu":
        return together(module, first.task, how, len(members))
    return max(1, min(len(members), free_bytes(device) // max(1, bytes_of(module, first))))

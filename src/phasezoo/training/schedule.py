"""Learning rate and momentum of every step, as torch's own schedulers give them."""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import Tensor
from torch.optim import SGD, lr_scheduler

from phasezoo.spec.training import Constant, Cosine, Lbfgs, OneCycle, Optimisation


@functools.lru_cache(maxsize=8)  # the seeds of a cell have the same
def rates(optimisation: Optimisation, steps_per_epoch: int, first: int, last: int) -> Tensor:
    """Learning rate and momentum of the steps of epochs `first`+1 to `last`.

    The schedule's own horizon is part of the spec, so a later epoch never changes an earlier one;
    past the horizon the last value is kept.

    Returns:
        [(last - first) * steps_per_epoch, 2] float64.

    Raises:
        ValueError: the optimiser has no learning rate or weight decay yet, or is L-BFGS, which
            finds its steps itself.
    """
    optimiser = optimisation.optimiser
    if isinstance(optimiser, Lbfgs):
        raise ValueError("optimiser: got lbfgs, allowed is one that has a momentum")
    if optimiser.learning_rate is None or optimiser.weight_decay is None:
        raise ValueError("optimiser: got no learning rate or weight decay, allowed are numbers")
    dummy = _Bare(optimiser.learning_rate, optimiser.momentum)
    horizon = getattr(optimisation.schedule, "epochs", 1) * steps_per_epoch
    scheduler = _scheduler(optimisation, dummy, horizon)
    table = []
    for step in range(min(horizon, last * steps_per_epoch)):
        table.append((dummy.param_groups[0]["lr"], dummy.param_groups[0]["momentum"]))
        if scheduler and step + 1 < horizon:
            dummy.step()  # torch warns of a scheduler that runs ahead of its optimiser
            scheduler.step()
    table += table[-1:] * (last * steps_per_epoch - len(table))
    return torch.tensor(table, dtype=torch.float64)[first * steps_per_epoch :].reshape(-1, 2)


class _Bare(SGD):
    """What a scheduler sees of an optimiser, without parameters.

    Not made as others are: adding parameters loads torch's compiler, which takes 1.3 s.
    """

    def __init__(self, rate: float, momentum: float) -> None:
        self.defaults = {"lr": rate, "momentum": momentum}
        self.param_groups = [{"params": [], **self.defaults}]

    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Nothing."""


def _scheduler(
    optimisation: Optimisation, optimiser: SGD, horizon: int
) -> lr_scheduler.LRScheduler | None:
    match optimisation.schedule:
        case OneCycle() as spec:
            return lr_scheduler.OneCycleLR(
                optimiser,
                max_lr=optimiser.param_groups[0]["lr"],
                total_steps=horizon,
                pct_start=spec.pct_start,
                div_factor=spec.div_factor,
                final_div_factor=spec.final_div_factor,
                cycle_momentum=spec.cycle_momentum,
                base_momentum=spec.base_momentum,
                max_momentum=spec.max_momentum,
            )
        case Cosine() as spec:
            return lr_scheduler.CosineAnnealingLR(optimiser, T_max=horizon, eta_min=spec.eta_min)
        case Constant():
            return None

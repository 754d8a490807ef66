"""Learning rate and momentum of every step, as torch's own schedulers give them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.optim import Optimizer, lr_scheduler

from phasezoo.spec.training import Constant, Cosine, OneCycle, Optimisation


def rates(optimisation: Optimisation, steps_per_epoch: int, first: int, last: int) -> Tensor:
    """Learning rate and momentum of the steps of epochs `first`+1 to `last`.

    The schedule's own horizon is part of the spec, so a later epoch never changes an earlier one;
    past the horizon the last value is kept.

    Returns:
        [(last - first) * steps_per_epoch, 2] float64.

    Raises:
        ValueError: the optimiser has no learning rate or weight decay yet.
    """
    optimiser = optimisation.optimiser
    if optimiser.learning_rate is None or optimiser.weight_decay is None:
        raise ValueError("optimiser: got no learning rate or weight decay, allowed are numbers")
    dummy = _Dummy(optimiser.learning_rate, optimiser.momentum)
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


class _Dummy(Optimizer):
    """What a scheduler sets the rates of, and nothing else.

    Torch's own optimisers import its compiler when they are made: 1.2 s of every job.
    """

    def __init__(self, rate: float, momentum: float) -> None:
        self.defaults = {"lr": rate, "momentum": momentum}
        self.param_groups = [dict(self.defaults)]

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Do nothing, as the scheduler wants before each of its own steps."""


def _scheduler(
    optimisation: Optimisation, optimiser: Optimizer, horizon: int
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

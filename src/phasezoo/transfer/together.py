"""How many models to train as one, by a rule and not by a measurement.

So that results are the same on every machine of a kind.
"""

from __future__ import annotations

from torch import nn

from phasezoo.data.task import Task
from phasezoo.spec.training import Optimisation
from phasezoo.training.choice import LEAST, even

MUCH = 10_000_000  # parameters times samples of a step, beyond which a deeper stack gains nothing


def together(module: nn.Module, task: Task, how: Optimisation, models: int) -> int:
    """As many as still gain by it on a CPU (`benchmarks/population.py`); 1: one after the other.

    Stacked convolutions gain or lose by their size and the machine: they are left alone.
    """
    convolves = any(isinstance(layer, nn.Conv2d) for layer in module.modules())
    samples = len(task.train_labels)
    batch = samples if how.batch_size in ("full", None) else min(int(how.batch_size), samples)
    work = batch * sum(p.numel() for p in module.parameters())
    found = even(models, min(models, MUCH // max(1, work)))
    return 1 if convolves or found < LEAST["cpu"] else found

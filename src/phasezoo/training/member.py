"""The models that a job trains: what each is, and where it begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from phasezoo import rng
from phasezoo.data.task import Task
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import load_weights
from phasezoo.spec.architecture import Architecture
from phasezoo.spec.training import Optimisation
from phasezoo.training.checkpoint import Checkpoint
from phasezoo.training.train import start


@dataclass(frozen=True)
class Member:
    """One model of a job.

    Attributes:
        names: of the model; they seed its generators.
        architecture: with its size set.
        optimisation: with the hyperparameters of its cell set.
        task: what it is trained on, on its device.
        stored: reads the checkpoint that it goes on from; None: it begins with initial weights.
    """

    names: tuple[str, ...]
    architecture: Architecture
    optimisation: Optimisation
    task: Task
    stored: Callable[[], Checkpoint] | None = None

    def begin(self) -> tuple[nn.Module, Checkpoint]:
        """A module on the CPU with the weights to begin with, and their checkpoint.

        Both are made when asked for: the members of a job need not fit into the memory at once.
        """
        module = build(self.architecture, self.task.shape, self.task.classes)
        if self.stored is None:
            initialise(module, rng.generator(*self.names, "init"))
            return module, start(module, self.optimisation.optimiser.moments)
        origin = self.stored()
        load_weights(module, origin.weights)
        return module, origin

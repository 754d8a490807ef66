"""Spec of training the models of a zoo on another data set."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from phasezoo.spec.base import PositiveInt, Text, refused
from phasezoo.spec.measured import Measured
from phasezoo.spec.optimisers import Lbfgs
from phasezoo.spec.training import Optimisation


class FineTuning(Measured):
    """Fine-tuning on another data set against training on it from scratch."""

    family: str
    dataset: Text
    head: Literal["kept", "fresh"]  # a fresh one is needed where the classes differ
    fine_tune_epochs: PositiveInt
    optimisation: Optimisation

    @model_validator(mode="after")
    def _all_set(self) -> FineTuning:
        check_training(self.optimisation, self.fine_tune_epochs, "fine_tune_epochs")
        return self


class Transfer(FineTuning):
    """On data like those of the zoo: the same classes, disturbed."""

    family: Literal["transfer"] = "transfer"


class NewTask(FineTuning):
    """On data of other classes, with a linear probe of the body beside it."""

    family: Literal["new_task"] = "new_task"

    @model_validator(mode="after")
    def _probed(self) -> NewTask:
        check_held(self.optimisation)
        return self


def check_training(how: Optimisation, epochs: int, name: str) -> None:
    """Raise where a training that belongs to no zoo leaves open what a grid axis would set.

    Args:
        how: the training.
        epochs: how long it is.
        name: of the key that says so.
    """
    settings = {
        "optimiser.learning_rate": how.optimiser.learning_rate,
        "optimiser.weight_decay": how.optimiser.weight_decay,
        "batch_size": how.batch_size,
    }
    for key, value in settings.items():
        if value is None:
            allowed = "a number, because no grid axis sets it here"
            raise refused(f"optimisation.{key}", value, allowed)
    cycle = getattr(how.schedule, "epochs", epochs)
    if cycle != epochs:
        allowed = f"{epochs}, the {name} that it is to span"
        raise refused("optimisation.schedule.epochs", cycle, allowed)


def check_held(how: Optimisation) -> None:
    """Raise where some weights are to be held, and the optimiser would move them."""
    if isinstance(how.optimiser, Lbfgs):
        allowed = "sgd or adamw, because some weights are held and a line search moves all"
        raise refused("optimisation.optimiser.name", how.optimiser.name, allowed)

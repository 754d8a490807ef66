"""Spec of how a model is trained."""

from __future__ import annotations

import operator
from typing import Annotated, Literal, Self

from annotated_types import Le
from pydantic import BeforeValidator, Field, model_validator

from phasezoo.spec.base import (
    Absent,
    Flag,
    Fraction,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Spec,
    refused,
    require_unique,
)
from phasezoo.spec.optimisers import AdamW, Lbfgs, Optimiser, Sgd
from phasezoo.spec.seen import Seen
from phasezoo.vocabulary import Number

__all__ = ["AdamW", "Lbfgs", "Optimiser", "Sgd"]


class OneCycle(Spec):
    """``torch.optim.lr_scheduler.OneCycleLR``, stepped per batch; the names are torch's."""

    name: Literal["onecycle"]
    epochs: PositiveInt  # length of the cycle; later epochs keep its last rate
    pct_start: Annotated[PositiveFloat, Field(lt=1)]
    div_factor: PositiveFloat
    final_div_factor: PositiveFloat
    cycle_momentum: Flag
    base_momentum: Fraction
    max_momentum: Fraction


class Cosine(Spec):
    """``torch.optim.lr_scheduler.CosineAnnealingLR``, stepped per batch."""

    name: Literal["cosine"]
    epochs: PositiveInt
    eta_min: NonNegativeFloat


class Constant(Spec):
    """The learning rate of the optimiser throughout."""

    name: Literal["constant"]


Schedule = Annotated[OneCycle | Cosine | Constant, Field(discriminator="name")]


class Augmentation(Spec):
    """How training images are disturbed anew each time they are seen, in this order.

    As torchvision's RandomCrop(size, padding=crop), RandomHorizontalFlip() and
    RandomRotation(rotation) on a Pillow image; what comes in from outside is black.
    """

    crop: NonNegativeInt = 0  # pixels; the image is moved by up to as many, down and across
    flip: Flag = False  # left and right are swapped half of the time
    rotation: Annotated[NonNegativeFloat, Le(180)] = 0.0  # degrees, at most, to either side

    @model_validator(mode="after")
    def _something(self) -> Augmentation:
        if not (self.crop or self.flip or self.rotation):
            raise refused("crop", self.crop, "more than 0, or flip or rotation; or leave it out")
        return self


def _is_float32(value: object) -> bool:
    return value == "float32"


def _is_measured(value: object) -> bool:
    return value == "measured"


def _together(value: object) -> object:
    if value in ("measured", "one"):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise ValueError("measured, one, or a whole number greater than 0")


# Left out of the JSON of jobs at their defaults, so that zoos without them read as they always did.
Precision = Annotated[Literal["float32", "tf32", "bf16"], Field(exclude_if=_is_float32)]
Stack = Annotated[
    Literal["measured", "one"] | int,
    BeforeValidator(_together),
    Field(exclude_if=_is_measured),
]


class Optimisation(Spec):
    """One training run: optimiser, schedule, batch size and what is done to the images."""

    optimiser: Optimiser
    schedule: Schedule
    # None: the temperature axis sets it; full: all samples at once, in a step an epoch
    batch_size: PositiveInt | Literal["full"] | None
    augmentation: Augmentation | None = Absent
    # samples of one forward pass, where a batch is too large for the memory: its gradient is summed
    # over such parts. With batch norm, a part is normalised by itself.
    at_once: PositiveInt | None = Absent
    # of products: tf32 rounds what goes into them to 10 bits on GPUs that can, bf16 computes the
    # layers in bfloat16; parameters and the optimiser's state stay float32
    precision: Precision = "float32"
    # models of one shape that are trained as one program: what a short measurement finds fastest,
    # one after the other, or so many
    stack: Stack = "measured"

    def at(self, hyperparameter: str, temperature: Number) -> Self:
        """The training at one temperature, set in its place."""
        if hyperparameter == "batch_size":
            return self.model_copy(update={"batch_size": int(temperature)})
        optimiser = self.optimiser.model_copy(update={hyperparameter: float(temperature)})
        return self.model_copy(update={"optimiser": optimiser})

    @model_validator(mode="after")
    def _whole_batches(self) -> Optimisation:
        """A line search compares losses, so they must be of one function."""
        if isinstance(self.optimiser, Lbfgs):
            because = "because lbfgs compares losses of all samples"
            if self.batch_size != "full":
                raise refused("batch_size", self.batch_size, f"full, {because}")
            if self.augmentation is not None:
                given = self.augmentation.model_dump()
                raise refused("augmentation", given, f"nothing, {because} as they are")
            if not isinstance(self.schedule, Constant):
                allowed = "constant, because lbfgs finds the length of each step itself"
                raise refused("schedule.name", self.schedule.name, allowed)
        return self


# pairs of a load and of `at_once` from there on, where large models leave less room
Parts = tuple[tuple[PositiveInt, PositiveInt], ...]


class Training(Optimisation):
    """Training of a zoo.

    `checkpoints` is a list of segments; each is trained by one job and resumes from the segment
    before it. A zoo grows by appending a segment.

    `together` names the axes along which a job trains a share: the cells of one share of
    temperatures, of one share of loads, or of both. Otherwise a job trains one cell.

    `seen` tells what part of the training set each model sees; without it, all see everything.
    """

    device: Literal["cpu", "gpu"]  # gpu: one per job where there is one, else the CPU
    checkpoints: tuple[tuple[NonNegativeInt, ...], ...]
    at_once_from: Parts | None = Absent
    seen: Seen | None = Absent
    together: Annotated[
        tuple[Literal["load", "temperature"], ...], Field(exclude_if=operator.not_)
    ] = ()

    @model_validator(mode="after")
    def _epochs_increase(self) -> Training:
        epochs = list(self.saved_epochs)
        if not all(self.checkpoints):
            raise refused("checkpoints", self.checkpoints, "at least one epoch in every segment")
        require_unique("checkpoints", epochs, "epoch")
        if epochs != sorted(epochs) or epochs[0] != 0:
            raise refused("checkpoints", epochs, "epochs that start at 0 and increase")
        return self

    @model_validator(mode="after")
    def _loads_increase(self) -> Training:
        if self.at_once_from is not None:
            loads = [load for load, _ in self.at_once_from]
            require_unique("at_once_from", loads, "load")
            if loads != sorted(loads):
                raise refused("at_once_from", loads, "loads that increase")
        return self

    @model_validator(mode="after")
    def _axes_once(self) -> Training:
        if self.together:
            require_unique("together", self.together, "axis")
        return self

    @property
    def saved_epochs(self) -> tuple[int, ...]:
        """All checkpoint epochs, over the segments."""
        return tuple(epoch for segment in self.checkpoints for epoch in segment)


def samples_at_once(at_once: int | None, from_load: Parts | None, load: Number) -> int | None:
    """Samples of one forward pass at a load; None: whole batches."""
    fitting = [samples for least, samples in from_load or () if load >= least]
    return fitting[-1] if fitting else at_once

"""Specs of optimisers."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from phasezoo.spec.base import (
    Flag,
    Fraction,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    Spec,
    refused,
)


class Sgd(Spec):
    """Stochastic gradient descent with momentum, as ``torch.optim.SGD`` defines it.

    `moments` is the number of vectors that the optimiser carries along, `arrays` that of the arrays
    they are stored in.
    """

    moments: ClassVar[int] = 1
    arrays: ClassVar[int] = 1

    name: Literal["sgd"]
    learning_rate: PositiveFloat | None  # the schedule's peak; None: the temperature axis sets it
    momentum: Fraction
    weight_decay: NonNegativeFloat | None  # None: the temperature axis sets it
    nesterov: Flag

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> Sgd:
        if self.nesterov and not self.momentum:
            raise refused("nesterov", self.nesterov, "false, because momentum is 0")
        return self


class AdamW(Spec):
    """Adam with decoupled weight decay, as ``torch.optim.AdamW`` defines it."""

    moments: ClassVar[int] = 2
    arrays: ClassVar[int] = 2

    name: Literal["adamw"]
    learning_rate: PositiveFloat | None  # the schedule's peak; None: the temperature axis sets it
    momentum: Fraction  # of the mean of gradients, beta_1
    second_moment: Fraction  # of the mean of their squares, beta_2
    epsilon: PositiveFloat
    weight_decay: NonNegativeFloat | None  # None: the temperature axis sets it


class Lbfgs(Spec):
    """Limited-memory BFGS with a strong Wolfe line search, as ``torch.optim.LBFGS`` defines it.

    It takes all samples at once. An epoch is one evaluation of the loss and its gradient, as with
    the others; an iteration takes one or more. The tolerances are torch's: a model stays where it
    is once no component of its gradient is larger than `tolerance_grad`, or once an iteration
    changes no weight, or the loss, by more than `tolerance_change`, or promises no more.
    """

    arrays: ClassVar[int] = 1
    weight_decay: ClassVar[float] = 0.0  # it has none

    name: Literal["lbfgs"]
    learning_rate: PositiveFloat | None  # the first step tried; None: the temperature axis sets it
    history: PositiveInt  # pairs of steps and changes of the gradient that are kept
    tolerance_grad: NonNegativeFloat
    tolerance_change: NonNegativeFloat

    @property
    def moments(self) -> int:
        """Vectors that it carries along: pairs, gradient, direction and where the search is."""
        return 2 * self.history + 3


Optimiser = Annotated[Sgd | AdamW | Lbfgs, Field(discriminator="name")]

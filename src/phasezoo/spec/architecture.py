"""Spec of network families, without the hyperparameters that the axes set."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from phasezoo.spec.base import PositiveInt, Spec


class Mlp(Spec):
    """Fully connected: `hidden_layers` layers of `width` units, ReLU, no normalisation."""

    name: Literal["mlp"]
    hidden_layers: PositiveInt
    width: PositiveInt | None = None  # None: the load axis sets it

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the modules whose outputs can be compared; the hidden ones before ReLU."""
        return (*(f"hidden.{i}" for i in range(self.hidden_layers)), "head")


class SmallResNet(Spec):
    """Residual network for small images: one basic block per stage, channels double per stage."""

    name: Literal["small-resnet"]
    stages: Annotated[PositiveInt, Field(le=4)]
    width: PositiveInt | None = None  # channels of the first stage

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the modules whose outputs can be compared; `norm` is the stem before ReLU."""
        return ("norm", *(f"blocks.{i}" for i in range(self.stages)), "head")


Architecture = Annotated[Mlp | SmallResNet, Field(discriminator="name")]

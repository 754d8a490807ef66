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


class SmallResNet(Spec):
    """Residual network for small images: one basic block per stage, channels double per stage."""

    name: Literal["small-resnet"]
    stages: Annotated[PositiveInt, Field(le=4)]
    width: PositiveInt | None = None  # channels of the first stage


Architecture = Annotated[Mlp | SmallResNet, Field(discriminator="name")]

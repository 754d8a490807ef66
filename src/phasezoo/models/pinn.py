"""The network of physics-informed learning."""

from __future__ import annotations

from typing import Literal, cast

import torch
from torch import Tensor
from torch.nn import functional

from phasezoo.models.mlp import MLP
from phasezoo.models.shapes import vector

Initial = Literal["torch", "xavier"]


class PINN(MLP):
    """u [N, outputs] of points [N, D]: `hidden_layers` layers of `width` units with tanh.

    That of Krishnapriyan et al. 2021 (net_pbc.py) is 2-50-50-50-50-1.
    """

    activation = staticmethod(torch.tanh)

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        width: int,
        hidden_layers: int,
        initial: Initial = "torch",
    ) -> None:
        vector("pinn", shape, "points [D]")
        super().__init__(shape, outputs, width, hidden_layers)
        self.initial = initial  # the rule of its initial weights

    def along(self, points: Tensor, tangent: Tensor) -> tuple[Tensor, Tensor]:
        """U [N, outputs] and its derivative along tangents [N, D], carried forward layer by layer.

        What ``torch.func.jvp`` computes, in a quarter of its time: it splits every layer into
        kernels of its own.
        """
        features, slope = points, tangent
        for layer in self.hidden:
            features = self.activation(layer(features))
            slope = functional.linear(slope, cast(Tensor, layer.weight)) * (1 - features.square())
        return self.head(features), functional.linear(slope, self.head.weight)

"""From the spec of an architecture to a module with initial weights."""

from __future__ import annotations

from typing import assert_never

import torch
from torch import nn

from phasezoo.models.mlp import MLP
from phasezoo.models.small_resnet import SmallResNet
from phasezoo.spec import architecture as spec


def build(architecture: spec.Architecture, shape: tuple[int, ...], classes: int) -> nn.Module:
    """The network of a spec, in evaluation mode; its weights are not to be used as they are.

    Args:
        architecture: with its width set.
        shape: of one input, [C, H, W].
        classes: number of logits.

    Raises:
        ValueError: the architecture has no width.
    """
    if architecture.width is None:
        raise ValueError(f"architecture.width: got None, allowed is a number ({architecture.name})")
    match architecture:
        case spec.Mlp():
            return MLP(shape, classes, architecture.width, architecture.hidden_layers).eval()
        case spec.SmallResNet():
            return SmallResNet(shape, classes, architecture.width, architecture.stages).eval()
        case _:
            assert_never(architecture)


@torch.no_grad()
def initialise(module: nn.Module, generator: torch.Generator) -> None:
    """Draw initial weights in place, as the zoo paper's code does.

    Kaiming-uniform (a = 0, fan-in) on every convolution and linear layer, 0.01 on every linear
    bias; normalisation layers start as the identity (def_net_width.py:929-990 of its code).
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            fresh = torch.empty(layer.weight.shape)
            nn.init.kaiming_uniform_(fresh, generator=generator)
            layer.weight.copy_(fresh)
            if layer.bias is not None:
                layer.bias.fill_(0.01)
        elif isinstance(layer, nn.BatchNorm2d):
            layer.reset_parameters()

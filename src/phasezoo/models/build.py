"""From the spec of an architecture to a module with initial weights."""

from __future__ import annotations

from typing import assert_never

import torch
from torch import nn

from phasezoo.models import initial
from phasezoo.models.gpt2 import GPT2, GPT2Classifier
from phasezoo.models.mlp import MLP
from phasezoo.models.pinn import PINN
from phasezoo.models.residual import BasicBlock, Bottleneck
from phasezoo.models.resnet import ResNet, ResNet20
from phasezoo.models.roberta import RoBERTa
from phasezoo.models.small_resnet import SmallResNet
from phasezoo.models.vgg import VGG
from phasezoo.models.vit import ViT
from phasezoo.spec import architecture as spec


def build(architecture: spec.Architecture, shape: tuple[int, ...], classes: int) -> nn.Module:
    """The network of a spec, in evaluation mode; its weights are not to be used as they are.

    Args:
        architecture: with its size set.
        shape: of one input: an image [C, H, W], a point [D], a context of tokens [T].
        classes: number of logits; the vocabulary of tokens; the values of a PINN.

    Raises:
        ValueError: the architecture has no size.
        ArchitectureError: it takes no inputs of this shape.
    """
    if architecture.size is None:
        key, name = f"architecture.{architecture.size_name}", architecture.name
        raise ValueError(f"{key}: got None, allowed is a number ({name})")
    return _module(architecture, (shape, classes, architecture.size)).eval()


def _module(a: spec.Architecture, sized: tuple[tuple[int, ...], int, int]) -> nn.Module:
    match a:
        case spec.Mlp():
            return MLP(*sized, a.hidden_layers)
        case spec.Pinn():
            return PINN(*sized, a.hidden_layers, a.initial)
        case spec.SmallResNet():
            return SmallResNet(*sized, a.stages)
        case spec.ResNet():
            return ResNet(*sized, a.blocks, BasicBlock if a.name == "resnet-18" else Bottleneck)
        case spec.ResNet20():
            return ResNet20(*sized, a.norm)
        case spec.Vgg():
            return VGG(*sized, a.convolutions, a.norm)
        case spec.Vit():
            return ViT(*sized, a.depth, a.heads, a.patch_size)
        case spec.Gpt2():
            return GPT2(*sized, a.depth, a.heads)
        case spec.Gpt2Classifier():
            return GPT2Classifier(*sized, a.depth, a.heads, a.vocabulary)
        case spec.Roberta():
            return RoBERTa(*sized, a.depth, a.heads, a.vocabulary, a.positions)
        case _:
            assert_never(a)


@torch.no_grad()
def initialise(module: nn.Module, generator: torch.Generator) -> None:
    """Draw initial weights in place, by the rule of the architecture (`models/initial.py`)."""
    match module:
        case GPT2() | GPT2Classifier():
            initial.gpt2(module, generator)
        case RoBERTa():
            initial.roberta(module, generator)
        case ViT():
            initial.vision_transformer(module, generator)
        case PINN():
            initial.pinn(module, generator)
        case ResNet20() | VGG(norm="batch" | "layer"):
            initial.scaled_normal(module, generator, gain=1)
        case VGG():
            initial.scaled_normal(module, generator, gain=2)
        case _:
            initial.kaiming_uniform(module, generator)

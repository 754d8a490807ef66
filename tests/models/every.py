"""A small network of every architecture, with inputs that it takes."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from phasezoo import rng
from phasezoo.models.build import build
from phasezoo.models.roberta import PADDING
from phasezoo.spec import architecture as spec

IMAGE, LARGE, POINT, CONTEXT = (2, 8, 8), (2, 32, 32), (2,), (7,)


@dataclass(frozen=True)
class Case:
    """An architecture, the shape of an input and the number of outputs."""

    architecture: spec.Architecture
    shape: tuple[int, ...]
    outputs: int = 5

    def module(self, seed: int = 0) -> nn.Module:
        """In float64, with random weights and statistics that no unit or norm has by chance."""
        module = build(self.architecture, self.shape, self.outputs).double()
        chance = rng.generator("every", seed)
        with torch.no_grad():
            for name, tensor in (*module.named_parameters(), *module.named_buffers()):
                if tensor.is_floating_point():
                    tensor.copy_(_random(name, tensor, chance))
        return module

    def inputs(self, count: int = 3) -> Tensor:
        """[count, ...] float64, or tokens int64."""
        chance = rng.generator("inputs")
        if self.architecture.takes in {"text", "labelled text"}:
            return self.tokens(count, chance)
        return torch.randn(count, *self.shape, dtype=torch.float64, generator=chance)

    def tokens(self, count: int, chance: torch.Generator) -> Tensor:
        """[count, T]; those for RoBERTa are texts of several lengths, with padding after them."""
        symbols = getattr(self.architecture, "vocabulary", self.outputs)
        if self.architecture.name != "roberta":
            return torch.randint(symbols, (count, *self.shape), generator=chance)
        found = torch.randint(PADDING + 1, symbols, (count, *self.shape), generator=chance)
        for row, text in enumerate(found[1:]):
            text[max(1, len(text) - 1 - row) :] = PADDING
        return found


def _random(name: str, tensor: Tensor, chance: torch.Generator) -> Tensor:
    """Weights of variance 2 / fan-in; scales and variances around 1, the rest around 0."""
    fresh = torch.randn(tensor.shape, dtype=tensor.dtype, generator=chance)
    if tensor.dim() > 1:
        return fresh * (2 / tensor[0].numel()) ** 0.5
    around = 1.0 if name.endswith("running_var") or ("norm" in name and "weight" in name) else 0.0
    return around + 0.2 * fresh.clamp(-2, 2)


CASES = [
    Case(spec.Mlp(name="mlp", hidden_layers=2, width=7), IMAGE),
    Case(spec.Pinn(name="pinn", hidden_layers=4, width=7), POINT, outputs=1),
    Case(spec.SmallResNet(name="small-resnet", stages=2, width=3), IMAGE),
    Case(spec.ResNet(name="resnet-18", width=3), IMAGE),
    Case(spec.ResNet(name="resnet-50", width=2), IMAGE),
    Case(spec.ResNet20(name="resnet-20", norm="batch", width=3), IMAGE),
    Case(spec.ResNet20(name="resnet-20", norm="layer", width=3), IMAGE),
    Case(spec.Vgg(name="vgg-11", norm="none", width=3), LARGE),
    Case(spec.Vgg(name="vgg-11", norm="batch", width=3), LARGE),
    Case(spec.Vgg(name="vgg-16", norm="layer", width=3), LARGE),
    Case(spec.Vit(name="vit", depth=2, heads=3, patch_size=4, embedding_dim=6), IMAGE),
    Case(spec.Gpt2(name="gpt-2", depth=2, heads=3, model_dim=6), CONTEXT),
    Case(
        spec.Gpt2Classifier(name="gpt-2-classifier", depth=2, heads=3, model_dim=6, vocabulary=11),
        CONTEXT,
    ),
    Case(
        spec.Roberta(
            name="roberta", depth=2, heads=3, model_dim=6, vocabulary=11, positions=CONTEXT[0] + 2
        ),
        CONTEXT,
    ),
]


def label(case: Case) -> str:
    """The name of a case: its architecture, and the norm where there is a choice."""
    norm = getattr(case.architecture, "norm", None)
    return f"{case.architecture.name}-{norm}" if norm else case.architecture.name


every = pytest.mark.parametrize("case", CASES, ids=label)

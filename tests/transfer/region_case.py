"""A small start, tasks of three shapes of head, and what is tuned from them."""

from __future__ import annotations

from dataclasses import replace

import torch

import oracles
from phasezoo import rng
from phasezoo.data.task import Task
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import parameter_layout, weights_of
from phasezoo.spec.architecture import Architecture, Gpt2, Mlp, SmallResNet
from phasezoo.spec.training import Constant, Optimisation
from phasezoo.transfer.regions.models import Models
from phasezoo.transfer.regions.start import Start

SHAPE = (1, 5, 5)
MLP = Mlp(name="mlp", hidden_layers=2, width=7)
RESNET = SmallResNet(name="small-resnet", stages=2, width=3)
GPT2 = Gpt2(name="gpt-2", depth=1, heads=2, model_dim=4)
THREE = replace(oracles.blobs(train=53, test=61, shape=SHAPE, classes=3), name="three")
TWO = replace(
    oracles.blobs(train=53, test=61, shape=SHAPE, classes=2, seed=1), name="two", classes=2
)
HOW = oracles.optimisation(
    Constant(name="constant"), batch_size=17, optimiser=oracles.sgd(weight_decay=0.01)
)


def start_of(architecture: Architecture = MLP, classes: int = 5) -> Start:
    module = build(architecture, SHAPE, classes)
    initialise(module, rng.generator("pre-trained"))
    return Start(architecture, SHAPE, classes, weights_of(module))


def names(seed: int) -> tuple[str, ...]:
    return ("study", f"seed={seed}")


def how(**changes: object) -> Optimisation:
    return HOW.model_copy(update=changes)


def tensors_of(architecture: Architecture, classes: int, parameters: torch.Tensor) -> dict:
    return parameter_layout(build(architecture, SHAPE, classes)).unflatten(parameters)


def models_of(start: Start, datasets: list[str], families: dict[str, str]) -> Models:
    """Bodies at random places around a start."""
    chance = rng.generator("bodies")
    away = torch.randn(len(datasets), start.layout.size, generator=chance, dtype=torch.float64)
    return Models(start, start.body.double() + 0.1 * away, datasets, families)


def task_of(name: str) -> Task:
    return replace(THREE, name=name)

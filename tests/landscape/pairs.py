"""Small trained models, and the networks and options to connect them with."""

from __future__ import annotations

from functools import cache

import torch

import oracles
from phasezoo import rng
from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import Weights
from phasezoo.spec.architecture import Mlp, SmallResNet
from phasezoo.spec.metrics import Connectivity
from phasezoo.training.train import start, train

CPU = torch.device("cpu")
TASK = oracles.blobs(classes=5)
MLP = Mlp(name="mlp", hidden_layers=1, width=11)
RESNET = SmallResNet(name="small-resnet", stages=1, width=3)
HOW = oracles.optimisation(oracles.onecycle(30))


def options(**changes: object) -> Connectivity:
    numbers: dict[str, object] = {
        "curve_epochs": 60,
        "batch_size": 11,
        "learning_rate": 0.05,
        "momentum": 0.9,
        "weight_decay": 0.0,
        "points": 11,
        "refinements": 0,
    }
    return Connectivity.model_validate({"epochs": [0], **numbers, **changes})


def network(architecture: Mlp | SmallResNet = MLP, task: Task = TASK) -> Network:
    return Network(build(architecture, task.shape, task.classes), CPU)


@cache
def trained(seed: int, architecture: Mlp | SmallResNet = MLP) -> Weights:
    module = build(architecture, TASK.shape, TASK.classes)
    initialise(module, rng.generator("curve", seed))
    return next(train(module, TASK, HOW, ("curve", str(seed)), start(module), (30,))).weights


def wide(task: Task) -> Task:
    """The same in float64."""
    return Task(
        task.name,
        task.train_inputs.double(),
        task.train_labels,
        task.test_inputs.double(),
        task.test_labels,
        task.classes,
    )

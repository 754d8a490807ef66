"""Small trained models to use."""

from __future__ import annotations

from dataclasses import replace

import torch

import oracles
from phasezoo import rng
from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.merging.permutation import cycles, permutation_spec, permute
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import Weights
from phasezoo.spec.architecture import Architecture, Mlp, SmallResNet
from phasezoo.training.train import start, train

CPU = torch.device("cpu")
MLP = Mlp(name="mlp", hidden_layers=2, width=7)
RESNET = SmallResNet(name="small-resnet", stages=2, width=3)
TASK = replace(oracles.blobs(train=53, test=211, shape=(1, 5, 5), classes=3), name="own")


def network(architecture: Architecture, task: Task = TASK) -> Network:
    return Network(build(architecture, task.shape, task.classes), CPU, task.objective)


def model(architecture: Architecture, seed: int = 0, epochs: int = 4, task: Task = TASK) -> Weights:
    """A model trained for a few epochs."""
    module = build(architecture, task.shape, task.classes)
    initialise(module, rng.generator("model", seed))
    how = oracles.optimisation(oracles.onecycle(epochs))
    (last,) = train(module, task, how, ("model", str(seed)), start(module), (epochs,))
    return last.weights


def permuted(net: Network, weights: Weights) -> Weights:
    """The same function, its units in another order."""
    spec = permutation_spec(net.module)
    by = cycles(spec, net.parameters, rng.generator("permutation"))
    return permute(net, spec, weights, by)

"""Networks with weights and statistics of their own, to permute and to merge."""

from __future__ import annotations

import torch
from torch import Tensor, nn

import oracles
from phasezoo import rng
from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.merging.permutation import Permutations, PermutationSpec
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import Weights, weights_of
from phasezoo.spec.architecture import Architecture, Mlp, Pinn, SmallResNet, Vgg

CPU = torch.device("cpu")
TASK = oracles.blobs(shape=(2, 5, 5))
LARGE = oracles.blobs(shape=(2, 32, 32))
POINTS = oracles.blobs(shape=(2,))


def mlp(hidden_layers: int, width: int) -> Mlp:
    return Mlp(name="mlp", hidden_layers=hidden_layers, width=width)


def resnet(stages: int, width: int) -> SmallResNet:
    return SmallResNet(name="small-resnet", stages=stages, width=width)


def task_of(architecture: Architecture) -> Task:
    """A task whose inputs the architecture takes."""
    match architecture:
        case Vgg():
            return LARGE
        case Pinn():
            return POINTS
        case _:
            return TASK


def built(architecture: Architecture) -> nn.Module:
    task = task_of(architecture)
    return build(architecture, task.shape, task.classes)


def weights(architecture: Architecture, seed: int) -> Weights:
    """Random weights; normalisation layers have seen data and are not the identity."""
    module = built(architecture)
    chance = rng.generator("weights", seed)
    initialise(module, chance)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=chance))
    module.train()(task_of(architecture).train_inputs + seed)
    return weights_of(module)


def network(architecture: Architecture) -> Network:
    return Network(built(architecture), CPU)


def random_permutations(net: Network, spec: PermutationSpec, seed: int) -> Permutations:
    """Random cycles through all units, so that none stays in its place."""
    chance, found = rng.generator("permutation", seed), {}
    for name in spec.names:
        order = torch.randperm(spec.size(name, net.parameters), generator=chance)
        found[name] = torch.empty_like(order)
        found[name][order] = order.roll(1)
    return found


def wide_outputs(architecture: Architecture, given: Weights, inputs: Tensor) -> Tensor:
    """Logits computed in float64, so that the order of a sum does not show."""
    module = built(architecture).double()
    wide = Weights(given.parameters.double(), given.buffers.double())
    return Network(module, CPU).function(wide)(inputs.double())

"""Small networks in float64, their weights, and their Hessians as dense matrices."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call, hessian
from torch.nn import functional

import oracles
from phasezoo.landscape.network import Network
from phasezoo.models.flat import Weights
from phasezoo.models.mlp import MLP
from phasezoo.models.small_resnet import SmallResNet
from phasezoo.spec.metrics import Density, Hessian

CPU = torch.device("cpu")
NOTHING = torch.empty(0)
Sample = tuple[Tensor, Tensor]


class Smooth(nn.Module):
    """A network that is not linear between kinks: its units are bent."""

    def __init__(self, features: int, classes: int, width: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(features, width)
        self.head = nn.Linear(width, classes)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.hidden(inputs.flatten(1)).sin())


def mlp(dtype: torch.dtype = torch.float64) -> tuple[Network, Sample]:
    """53 parameters, 17 samples."""
    inputs = oracles.vector(17 * 3, 1).reshape(17, 3).to(dtype)
    return Network(MLP((3,), 3, 5, 1).to(dtype), CPU), (inputs, torch.arange(17) % 3)


def smooth() -> tuple[Network, Sample]:
    """The same with bent units."""
    return Network(Smooth(3, 3, 5).double(), CPU), mlp()[1]


def resnet() -> tuple[Network, Sample]:
    """Two stages, 8 samples of 4 x 4."""
    inputs = oracles.vector(7 * 16, 1).reshape(7, 1, 4, 4)
    return Network(SmallResNet((1, 4, 4), 3, 2, 2).double(), CPU), (inputs, torch.arange(7) % 3)


def weights(network: Network, seed: int, scale: float = 1.0) -> Weights:
    """Random ones; statistics are positive."""
    parameters = scale * oracles.vector(network.parameters.size, seed)
    buffers = oracles.vector(network.buffers.size, seed + 100).abs() + 0.5
    dtype = next(network.module.parameters()).dtype
    return Weights(parameters.to(dtype), buffers.to(dtype))


def dense(network: Network, model: Weights, sample: Sample) -> Tensor:
    """The Hessian [P, P] of the mean cross-entropy by forward over reverse mode, all at once."""
    buffers = network.buffers.unflatten(model.buffers)
    types = {name: b.dtype for name, b in network.module.named_buffers()}
    statistics = {name: b.to(types[name]) for name, b in buffers.items()}

    def loss(theta: Tensor) -> Tensor:
        tensors = network.parameters.unflatten(theta) | statistics
        logits = functional_call(network.module, tensors, (sample[0],))
        return functional.cross_entropy(logits, sample[1])

    return hessian(loss)(model.parameters).detach()


def options(
    eigenvalues: int = 1,
    tolerance: float = 1e-9,
    iterations: int = 200,
    trace_error: float = 0.02,
    probes: int = 200,
    density: Density | None = None,
    memory: float = 2.0,
) -> Hessian:
    """Options with everything set."""
    return Hessian(
        epochs=(0,),
        sets=("train",),
        samples=17,
        eigenvalues=eigenvalues,
        iterations=iterations,
        tolerance=tolerance,
        trace_error=trace_error,
        probes=probes,
        density=density,
        memory=memory,
    )

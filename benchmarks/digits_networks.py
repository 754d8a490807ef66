"""Networks trained on the handwritten digits, for the benchmarks of curvature."""

from __future__ import annotations

from collections.abc import Callable

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional

from phasezoo import rng
from phasezoo.models.build import initialise
from phasezoo.models.mlp import MLP
from phasezoo.models.small_resnet import SmallResNet

SHAPE, CLASSES, TRAIN = (1, 8, 8), 10, 1200


def digits(samples: int = TRAIN) -> tuple[Tensor, Tensor]:
    """Normalised training images [N, 1, 8, 8] and labels [N]."""
    images, labels = load_digits(return_X_y=True)
    inputs = torch.from_numpy(images[:TRAIN]).float().reshape(-1, *SHAPE)
    inputs = (inputs - inputs.mean()) / inputs.std()
    return inputs[:samples], torch.from_numpy(labels[:samples]).long()


def mlp(width: int) -> Callable[[], nn.Module]:
    """Two hidden layers."""
    return lambda: MLP(SHAPE, CLASSES, width, 2)


def resnet(width: int) -> Callable[[], nn.Module]:
    """Three stages."""
    return lambda: SmallResNet(SHAPE, CLASSES, width, 3)


def trained(make: Callable[[], nn.Module], epochs: int, batch_size: int, seed: int) -> nn.Module:
    """A network after some epochs of SGD at a constant rate, in evaluation mode."""
    module, (inputs, labels) = make(), digits()
    initialise(module, rng.generator("digits", "initial", seed))
    optimiser = torch.optim.SGD(module.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    module.train()
    for epoch in range(epochs):
        order = torch.randperm(TRAIN, generator=rng.generator("digits", seed, epoch))
        for chosen in order.split(batch_size):
            optimiser.zero_grad()
            functional.cross_entropy(module(inputs[chosen]), labels[chosen]).backward()
            optimiser.step()
    return module.eval().requires_grad_()

"""Gradients and losses of a stack are those of its models one by one."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import oracles
from phasezoo import rng
from phasezoo.landscape import stacked
from phasezoo.landscape.network import Network
from phasezoo.landscape.stacked import gradients_of, sample_losses
from phasezoo.models.build import initialise
from phasezoo.models.flat import weights_of
from phasezoo.models.mlp import MLP
from phasezoo.models.small_resnet import SmallResNet

CPU = torch.device("cpu")
TASK = oracles.blobs(train=13, shape=(1, 4, 4))
BATCHES = torch.tensor([[0, 1, 2, 5, 7], [3, 3, 8, 11, 12], [0, 12, 4, 6, 9]])


def stack(module: nn.Module) -> tuple[Tensor, Tensor]:
    models = []
    for i in range(3):
        initialise(module, rng.generator("stack", i))
        models.append(weights_of(module))
    return torch.stack([m.parameters for m in models]), torch.stack([m.buffers for m in models])


@pytest.mark.parametrize("much", [0, 2**30])
@pytest.mark.parametrize(
    "module", [MLP(TASK.shape, 3, 5, 2), SmallResNet(TASK.shape, 3, 2, 2)], ids=["mlp", "resnet"]
)
def test_gradients_are_those_of_backward_passes(
    module: nn.Module, much: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stacked, "MUCH", much)
    parameters, buffers = stack(module)
    network = Network(module, CPU)
    inputs, labels = TASK.train_inputs[BATCHES], TASK.train_labels[BATCHES]
    slopes, losses = gradients_of(network, 5)(parameters, buffers, inputs, labels)
    assert not losses.requires_grad
    for i in range(3):
        tensors = network.parameters.unflatten(parameters[i])
        with torch.no_grad():
            for name, parameter in module.named_parameters():
                parameter.copy_(tensors[name])
        module.zero_grad()
        loss = functional.cross_entropy(module(inputs[i]), labels[i])
        loss.backward()
        expected = torch.cat([p.grad.reshape(-1) for p in module.parameters()])  # type: ignore[union-attr]
        torch.testing.assert_close(slopes[i], expected, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(losses[i], loss.detach(), rtol=1e-5, atol=1e-6)


def test_losses_of_samples_are_those_of_the_formula() -> None:
    module = MLP(TASK.shape, 3, 5, 2)
    parameters, buffers = stack(module)
    network = Network(module, CPU)
    found = sample_losses(network, parameters, buffers, TASK.train_inputs, TASK.train_labels)
    assert found.shape == (3, 13)
    for row, theta, statistics in zip(found, parameters, buffers, strict=True):
        logits = network.apply(theta, statistics, TASK.train_inputs).double()
        expected = logits.logsumexp(1) - logits[torch.arange(13), TASK.train_labels]
        torch.testing.assert_close(row.double(), expected.detach(), rtol=1e-4, atol=1e-6)

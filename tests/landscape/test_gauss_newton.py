"""The exact trace is that of the dense Hessian, and is taken only where it is exact."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import oracles
from landscape import nets
from phasezoo.landscape.estimate import Estimate
from phasezoo.landscape.gauss_newton import exact_trace, is_linear_between_kinks
from phasezoo.landscape.network import Network
from phasezoo.landscape.stack import Stack

PLENTY = 1 << 30


class Strange(nn.Module):
    """One layer used in a way that the class does not tell."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way = way
        self.layer = nn.Linear(3, 3)
        self.head = nn.Linear(3, 3)
        if way == "tied":
            self.head.weight = self.layer.weight
        if way == "scaled":
            self.scale = nn.Parameter(torch.ones(3))
        if way == "normalised":
            self.norm = nn.LayerNorm(3)

    def forward(self, inputs: Tensor) -> Tensor:
        features = self.layer(inputs).relu()
        match self.way:
            case "twice":
                features = self.layer(features).relu()
            case "gated":
                features = features * self.layer(inputs).sigmoid()
            case "attending":
                features = features @ (features.T @ features)
            case "borrowed":
                features = nn.functional.linear(features, self.layer.weight)
            case "unused":
                return self.layer(inputs)
            case "scaled":
                features = features * self.scale
            case "normalised":
                features = self.norm(features)
            case "tokens":
                return self.head(features[:, None, :]).mean(1)
        return self.head(features)


class Pooled(nn.Module):
    """Strides, padding, biases, pooling: all that the formula for convolutions knows."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, 3, 3, stride=2, padding=1)
        self.second = nn.Conv2d(3, 2, (1, 2), dilation=(1, 2), bias=False)
        self.norm = nn.BatchNorm2d(2)
        self.pool = nn.MaxPool2d(2, 1)
        self.head = nn.Linear(2, 3, bias=False)

    def forward(self, inputs: Tensor) -> Tensor:
        features = nn.functional.leaky_relu(self.first(inputs))
        return self.head(self.pool(self.norm(self.second(features))).mean((2, 3)))


def pooled() -> tuple[Network, nets.Sample]:
    inputs = oracles.vector(7 * 2 * 81, 1).reshape(7, 2, 9, 9)
    return Network(Pooled().double(), nets.CPU), (inputs, torch.arange(7) % 3)


@pytest.mark.parametrize("make", [nets.mlp, nets.resnet, pooled])
@pytest.mark.parametrize("limit", [PLENTY, 1], ids=["whole", "sample by sample"])
def test_the_trace_is_that_of_the_dense_hessian(
    make: Callable[[], tuple[Network, nets.Sample]], limit: int
) -> None:
    network, sample = make()
    assert is_linear_between_kinks(network, sample[0])
    for seed in range(3):
        model = nets.weights(network, seed)
        found = exact_trace(Stack.of(network, [model]), sample[0], limit)
        expected = nets.dense(network, model, sample).trace().item()
        assert found.estimate == Estimate(pytest.approx(expected, rel=1e-10), 0.0)
        assert (found.converged, found.probes) == (True, 0)


@pytest.mark.parametrize(
    "way",
    ["twice", "gated", "attending", "borrowed", "unused", "scaled", "normalised", "tied", "tokens"],
)
def test_other_uses_of_parameters_are_seen(way: str) -> None:
    inputs = oracles.vector(33, 0).reshape(11, 3)
    assert is_linear_between_kinks(Network(Strange("plain").double(), nets.CPU), inputs)
    assert not is_linear_between_kinks(Network(Strange(way).double(), nets.CPU), inputs)


def test_bent_units_are_seen() -> None:
    network, sample = nets.smooth()
    assert not is_linear_between_kinks(network, sample[0])
    model = nets.weights(network, 0)
    wrong = exact_trace(Stack.of(network, [model]), sample[0], PLENTY).estimate.value
    assert abs(wrong / nets.dense(network, model, sample).trace().item() - 1) > 0.01


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(2, 2, 3, groups=2),
        nn.Conv2d(2, 2, 3, padding_mode="circular"),
        nn.Conv2d(2, 2, 3, padding="same"),
        nn.ConvTranspose2d(2, 2, 3),
    ],
)
def test_convolutions_without_a_formula_are_left_to_probes(layer: nn.Module) -> None:
    module = nn.Sequential(layer, nn.Flatten(), nn.LazyLinear(3)).double()
    inputs = oracles.vector(2 * 50, 0).reshape(2, 2, 5, 5)
    module(inputs)
    assert not is_linear_between_kinks(Network(module, nets.CPU), inputs)


def test_hooks_are_gone_afterwards() -> None:
    network, sample = nets.resnet()
    is_linear_between_kinks(network, sample[0])
    exact_trace(Stack.of(network, [nets.weights(network, 0)]), sample[0], PLENTY)
    assert not any(module._forward_hooks for module in network.module.modules())


def test_a_model_that_is_not_finite_has_no_trace() -> None:
    network, sample = nets.mlp()
    model = nets.weights(network, 0)
    model.parameters[0] = math.nan
    found = exact_trace(Stack.of(network, [model]), sample[0], PLENTY)
    assert math.isnan(found.estimate.value)
    assert math.isnan(found.estimate.standard_error)
    assert not found.converged

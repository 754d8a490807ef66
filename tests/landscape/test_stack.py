"""A stack computes what its models compute."""

from __future__ import annotations

import pytest
import torch

from landscape import nets
from phasezoo.landscape.network import Network
from phasezoo.landscape.stack import Stack, models_per_stack
from phasezoo.models.mlp import MLP
from phasezoo.models.small_resnet import SmallResNet


def test_logits_are_those_of_each_model() -> None:
    for network, sample in (nets.mlp(), nets.resnet()):
        models = [nets.weights(network, seed) for seed in range(3)]
        stack = Stack.of(network, models)
        assert len(stack) == 3
        for row, (model, logits) in enumerate(zip(models, stack.outputs(sample[0]), strict=True)):
            expected = network.function(model)(sample[0])
            torch.testing.assert_close(logits, expected)
            torch.testing.assert_close(stack.model(row).outputs(sample[0])[0], expected)


def test_weights_keep_their_type_and_stay_as_they_are() -> None:
    network, _ = nets.mlp(torch.float32)
    model = nets.weights(network, 0)
    stack = Stack.of(network, [model])
    assert stack.parameters.dtype == torch.float32
    assert stack.parameters.requires_grad
    assert not model.parameters.requires_grad


@pytest.mark.parametrize(
    ("width", "samples", "expected"), [(2, 640, 200), (32, 640, 13), (64, 640, 1), (32, 6400, 1)]
)
def test_small_networks_are_stacked(width: int, samples: int, expected: int) -> None:
    network = Network(MLP((1, 8, 8), 10, width, 2), nets.CPU)
    found = models_per_stack(network, samples)
    assert found == pytest.approx(expected, rel=0.5) if expected > 1 else found == 1


def test_convolutions_are_not_stacked() -> None:
    assert models_per_stack(Network(SmallResNet((1, 3, 3), 2, 1, 1), nets.CPU), 7) == 1

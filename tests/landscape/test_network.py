"""A network on flat vectors is the module that it is made from."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

import oracles
from phasezoo import rng
from phasezoo.data.objective import Classification
from phasezoo.landscape.network import Network
from phasezoo.models.build import initialise
from phasezoo.models.flat import Weights, load_weights, weights_of
from phasezoo.models.mlp import MLP
from phasezoo.models.small_resnet import SmallResNet

CPU = torch.device("cpu")
INPUTS = oracles.vector(53 * 2 * 5 * 5, 0).reshape(53, 2, 5, 5).float()


def resnet(seed: int) -> nn.Module:
    """With weights and statistics of its own."""
    module = SmallResNet((2, 5, 5), 3, 3, 2)
    initialise(module, rng.generator("net", seed))
    module.train()(INPUTS + seed)
    return module.eval()


def state(module: nn.Module) -> list[Tensor]:
    return [tensor.clone() for tensor in module.state_dict().values()]


def same(first: list[Tensor], second: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_the_function_of_weights_is_that_of_a_module_holding_them() -> None:
    skeleton, wanted = resnet(0), resnet(1)
    before = state(skeleton)
    found = Network(skeleton, CPU).function(weights_of(wanted))(INPUTS)
    assert torch.equal(found, wanted(INPUTS))
    assert not found.requires_grad
    assert same(state(skeleton), before)


def test_training_mode_uses_the_statistics_of_the_batch() -> None:
    skeleton, wanted = resnet(0), resnet(1)
    before = state(skeleton)
    parameters = weights_of(wanted).parameters
    found = Network(skeleton, CPU).apply_training(parameters, INPUTS)
    assert torch.equal(found, wanted.train()(INPUTS))
    assert same(state(skeleton), before)
    assert not skeleton.training


@pytest.mark.parametrize("chunk", [4096, 17])
def test_re_estimated_statistics_are_torchs_cumulative_average(
    monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(Classification, "chunk", chunk)
    wanted = resnet(1)
    skeleton = resnet(0)
    found = Network(skeleton, CPU).with_statistics(weights_of(wanted).parameters, INPUTS)
    expected = copy.deepcopy(wanted)
    update_bn(INPUTS.tensor_split(-(-len(INPUTS) // chunk)), expected)  # of one size
    assert torch.equal(found.buffers, weights_of(expected).buffers)
    assert torch.equal(found.parameters, weights_of(wanted).parameters)
    assert not torch.equal(found.buffers, weights_of(wanted).buffers)


def test_the_first_layers_statistics_are_mean_and_variance() -> None:
    wanted = resnet(1)
    weights = Network(resnet(0), CPU).with_statistics(weights_of(wanted).parameters, INPUTS)
    features = wanted.stem(INPUTS).detach().double()
    loaded = load_weights(resnet(0), weights)
    torch.testing.assert_close(
        loaded.norm.running_mean.double(), features.mean((0, 2, 3)), rtol=1e-5, atol=1e-6
    )
    torch.testing.assert_close(
        loaded.norm.running_var.double(), features.var((0, 2, 3)), rtol=1e-5, atol=1e-6
    )


def test_re_estimation_leaves_the_module_as_it_was() -> None:
    skeleton = resnet(0)
    norms = [m for m in skeleton.modules() if isinstance(m, nn.BatchNorm2d)]
    norms[1].momentum = 0.3
    before = state(skeleton)
    Network(skeleton, CPU).with_statistics(weights_of(resnet(1)).parameters, INPUTS)
    assert same(state(skeleton), before)
    assert [m.momentum for m in norms] == [0.1, 0.3, 0.1, 0.1, 0.1, 0.1]
    assert not any(m.training for m in skeleton.modules())


def test_a_failing_pass_leaves_the_module_as_it_was() -> None:
    skeleton = resnet(0)
    with pytest.raises(RuntimeError):
        Network(skeleton, CPU).with_statistics(weights_of(resnet(1)).parameters, torch.ones(7, 3))
    norms = [m for m in skeleton.modules() if isinstance(m, nn.BatchNorm2d)]
    assert [m.momentum for m in norms] == [0.1] * 6
    assert not any(m.training for m in skeleton.modules())


def test_a_network_without_normalisation_has_no_statistics() -> None:
    module = MLP((2, 5, 5), 3, 7, 1).eval()
    network = Network(module, CPU)
    found = network.with_statistics(weights_of(module).parameters, INPUTS)
    assert not network.has_statistics
    assert Network(resnet(0), CPU).has_statistics
    assert found.buffers.shape == (0,)


def test_a_vector_of_another_length_is_refused() -> None:
    network = Network(MLP((2, 5, 5), 3, 7, 1), CPU)
    with pytest.raises(ValueError, match="vector: got shape"):
        network.function(Weights(torch.zeros(5), torch.empty(0)))(INPUTS)

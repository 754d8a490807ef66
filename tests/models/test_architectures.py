"""Networks compute what their formulas say, and start from the weights that their names give."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from phasezoo import rng
from phasezoo.models.build import build, initialise
from phasezoo.models.mlp import MLP
from phasezoo.models.small_resnet import SmallResNet
from phasezoo.spec import architecture as spec


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def with_statistics(module: nn.Module, seed: int) -> nn.Module:
    """Random weights, normalisation weights and statistics."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point():
            fresh = torch.rand(tensor.shape, generator=generator, dtype=tensor.dtype)
            tensor.copy_(fresh + 0.5 if "norm" in name or "shortcut.1" in name else fresh - 0.5)
    return module


@pytest.mark.parametrize("hidden_layers", [1, 2, 3])
def test_an_mlp_is_its_formula(hidden_layers: int) -> None:
    module = MLP((2, 3, 5), 7, 11, hidden_layers).double()
    inputs = torch.randn(13, 2, 3, 5, dtype=torch.float64, generator=rng.generator("x"))
    weights = {name: tensor.detach().numpy() for name, tensor in module.named_parameters()}
    features = inputs.numpy().reshape(13, 30)
    for layer in range(hidden_layers):
        slope, shift = weights[f"hidden.{layer}.weight"], weights[f"hidden.{layer}.bias"]
        features = np.maximum(features @ slope.T + shift, 0)
    expected = features @ weights["head.weight"].T + weights["head.bias"]
    np.testing.assert_allclose(module(inputs).detach().numpy(), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("width", "hidden_layers"), [(11, 1), (3, 2), (5, 4)])
def test_an_mlp_has_its_number_of_parameters(width: int, hidden_layers: int) -> None:
    module = MLP((1, 8, 8), 10, width, hidden_layers)
    hidden = (64 + 1) * width + (hidden_layers - 1) * (width + 1) * width
    assert parameters(module) == hidden + (width + 1) * 10


def norm(w: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    """Batch norm in evaluation mode, by its formula."""
    a = w[f"{name}.weight"] / (w[f"{name}.running_var"] + 1e-5).sqrt()
    b = w[f"{name}.bias"] - w[f"{name}.running_mean"] * a
    return x * a[:, None, None] + b[:, None, None]


def block(w: dict[str, Tensor], name: str, x: Tensor, stride: int) -> Tensor:
    y = functional.conv2d(x, w[f"{name}.conv1.weight"], stride=stride, padding=1)
    y = norm(w, f"{name}.norm1", y).relu()
    y = norm(w, f"{name}.norm2", functional.conv2d(y, w[f"{name}.conv2.weight"], padding=1))
    if stride > 1:
        x = functional.conv2d(x, w[f"{name}.shortcut.0.weight"], stride=stride)
        x = norm(w, f"{name}.shortcut.1", x)
    return (x + y).relu()


def test_a_small_resnet_is_its_formula() -> None:
    module = with_statistics(SmallResNet((2, 7, 7), 5, 3, 2).double(), 0).eval()
    inputs = torch.randn(11, 2, 7, 7, dtype=torch.float64, generator=rng.generator("x"))
    w = dict(module.state_dict())
    x = norm(w, "norm", functional.conv2d(inputs, w["stem.weight"], padding=1)).relu()
    x = block(w, "blocks.1", block(w, "blocks.0", x, stride=1), stride=2)
    expected = x.mean((2, 3)) @ w["head.weight"].T + w["head.bias"]
    torch.testing.assert_close(module(inputs), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("width", "stages"), [(3, 1), (3, 2), (5, 3)])
def test_a_small_resnet_has_its_number_of_parameters(width: int, stages: int) -> None:
    module = SmallResNet((2, 7, 7), 5, width, stages)
    count = 9 * 2 * width + 2 * width  # stem and its norm
    before = width
    for stage in range(stages):
        now = width * 2**stage
        count += 9 * before * now + 9 * now * now + 2 * 2 * now
        count += before * now + 2 * now if stage else 0  # projection and its norm
        before = now
    assert parameters(module) == count + (before + 1) * 5


ARCHITECTURES = [
    spec.Mlp(name="mlp", hidden_layers=2, width=11),
    spec.SmallResNet(name="small-resnet", stages=2, width=3),
]


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda a: a.name)
def test_a_network_is_built_in_evaluation_mode_with_its_shapes(
    architecture: spec.Architecture,
) -> None:
    module = build(architecture, (1, 8, 8), 10)
    assert not any(part.training for part in module.modules())
    assert module(torch.zeros(3, 1, 8, 8)).shape == (3, 10)


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda a: a.name)
def test_an_architecture_without_width_is_refused(architecture: spec.Architecture) -> None:
    with pytest.raises(ValueError, match=r"architecture\.width: got None"):
        build(architecture.model_copy(update={"width": None}), (1, 8, 8), 10)


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda a: a.name)
def test_initial_weights_fill_the_bounds_of_kaiming_uniform(
    architecture: spec.Architecture,
) -> None:
    module = with_statistics(build(architecture, (1, 8, 8), 10), 1)
    initialise(module, rng.generator("init"))
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            fan_in = layer.weight[0].numel()
            bound = (6 / fan_in) ** 0.5
            largest, count = layer.weight.abs().max().item(), layer.weight.numel()
            assert largest <= bound
            # the chance that `count` uniform numbers all miss the outermost part is 1e-6
            assert largest >= bound * 1e-6 ** (1 / count)
            if layer.bias is not None:
                assert torch.equal(layer.bias, torch.full_like(layer.bias, 0.01))


def test_normalisation_starts_as_the_identity() -> None:
    module = with_statistics(build(ARCHITECTURES[1], (1, 8, 8), 10), 1)
    initialise(module, rng.generator("init"))
    norms = [layer for layer in module.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert len(norms) == 6
    for layer in norms:
        assert torch.equal(layer.weight, torch.ones_like(layer.weight))
        assert torch.equal(layer.bias, torch.zeros_like(layer.bias))
        assert torch.equal(layer.running_mean, torch.zeros_like(layer.running_mean))
        assert torch.equal(layer.running_var, torch.ones_like(layer.running_var))
        assert layer.num_batches_tracked == 0


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda a: a.name)
def test_initial_weights_are_those_of_their_names(architecture: spec.Architecture) -> None:
    def drawn(*names: object) -> Tensor:
        module = build(architecture, (1, 8, 8), 10)
        initialise(module, rng.generator(*names))
        return nn.utils.parameters_to_vector(module.parameters())

    assert torch.equal(drawn("zoo", "seed=0"), drawn("zoo", "seed=0"))
    assert not torch.equal(drawn("zoo", "seed=0"), drawn("zoo", "seed=1"))

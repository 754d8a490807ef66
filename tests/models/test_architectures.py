"""Small networks compute what their formulas say and have the parameters of their formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from phasezoo import rng
from phasezoo.models.mlp import MLP
from phasezoo.models.small_resnet import SmallResNet


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

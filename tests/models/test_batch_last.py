"""Layers of stacks with samples last give what torch's own give for each model."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from phasezoo import rng
from phasezoo.models.batch_last.convolution import Kernel, convolve, in_memory
from phasezoo.models.batch_last.layers import CHANNELS, StackedResNet, can_stack, is_narrow
from phasezoo.models.batch_last.norm import normalised
from phasezoo.models.build import build, initialise
from phasezoo.spec.architecture import Architecture, Mlp, ResNet20, SmallResNet

RESNET = SmallResNet(name="small-resnet", stages=2, width=3)
SHAPE, CLASSES = (2, 8, 6), 5
# models, samples, channels in and out, height, width
CASES = {
    "3 x 3": (Kernel(3, 1, 1), (3, 5, 2, 3, 7, 8)),
    "tiles of one column": (Kernel(3, 1, 1), (2, 5, 3, 17, 5, 4)),
    "an odd number of columns": (Kernel(3, 1, 1), (2, 3, 3, 2, 4, 7)),
    "stride 2": (Kernel(3, 2, 1), (2, 7, 3, 5, 8, 8)),
    "stride 2 on odd sides": (Kernel(3, 2, 1), (2, 7, 3, 5, 5, 7)),
    "1 x 1 with stride 2": (Kernel(1, 2, 0), (3, 5, 2, 7, 8, 6)),
    "without padding": (Kernel(3, 1, 0), (2, 3, 2, 3, 6, 5)),
    "stride 3 without padding": (Kernel(2, 3, 0), (2, 3, 2, 3, 8, 7)),
    "5 x 5": (Kernel(5, 1, 2), (1, 3, 2, 13, 5, 4)),
    "one pixel": (Kernel(3, 1, 1), (2, 3, 2, 5, 1, 1)),
}


def normal(*shape: int, seed: int = 0) -> Tensor:
    chance = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=chance, dtype=torch.float64).requires_grad_()


def agree(found: Tensor, expected: Tensor, leaves: tuple[Tensor, ...]) -> None:
    """Values and first derivatives, along some direction."""
    torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-11)
    along = normal(*expected.shape, seed=7).detach()
    pairs = (torch.autograd.grad(values, leaves, along) for values in (found, expected))
    for one, other in zip(*pairs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-11)


def each(tensors: dict[str, Tensor], model: int) -> dict[str, Tensor]:
    return {name: tensor[model] for name, tensor in tensors.items()}


def stack(architecture: Architecture, models: int) -> tuple[nn.Module, dict[str, Tensor]]:
    """A skeleton in training mode and tensors of some models in float64."""
    modules = []
    for seed in range(models):
        module = build(architecture, SHAPE, CLASSES)
        initialise(module, rng.generator("stack", seed))
        modules.append(module.double().train())
    names = dict(modules[0].named_parameters())
    return modules[0], {
        name: torch.stack([m.get_parameter(name).detach() for m in modules]).requires_grad_()
        for name in names
    }


@pytest.mark.parametrize(("kernel", "sizes"), CASES.values(), ids=CASES)
def test_a_convolution_is_that_of_torch(kernel: Kernel, sizes: tuple[int, ...]) -> None:
    models, samples, inputs, outputs, height, width = sizes
    features = normal(models, samples, inputs, height, width)
    weights = normal(models, outputs, inputs, kernel.size, kernel.size, seed=1)
    expected = torch.stack(
        [
            functional.conv2d(some, of_model, stride=kernel.stride, padding=kernel.padding)
            for some, of_model in zip(features, weights, strict=True)
        ]
    )
    agree(convolve(features, weights, kernel), expected, (features, weights))


def test_a_batch_norm_is_that_of_torch() -> None:
    features = (3 + 2 * normal(3, 7, 5, 2, 3)).detach().requires_grad_()
    scale, shift = normal(3, 5, seed=1), normal(3, 5, seed=2)
    expected = torch.stack(
        [
            functional.batch_norm(some, None, None, a, b, training=True, eps=1e-3)
            for some, a, b in zip(features, scale, shift, strict=True)
        ]
    )
    agree(normalised(features, scale, shift, 1e-3), expected, (features, scale, shift))


def test_the_variance_of_features_far_from_zero_does_not_cancel() -> None:
    features = 1000 + normal(1, 53, 1, 4, 4).detach()
    one, zero = torch.ones(1, 1), torch.zeros(1, 1)
    found = normalised(features.float(), one, zero, 0.0)
    expected = (features - features.mean()) / features.std(correction=0)
    assert (found - expected).abs().max() < 1e-3


@pytest.mark.parametrize(
    "architecture",
    [RESNET, ResNet20(name="resnet-20", width=2, norm="batch")],
    ids=lambda a: a.name,
)
def test_a_stack_of_networks_is_each_of_them(architecture: Architecture) -> None:
    module, tensors = stack(architecture, models=3)
    inputs = normal(3, 11, *SHAPE).detach()
    expected = torch.stack(
        [functional_call(module, each(tensors, i), (inputs[i],)) for i in range(3)]
    )
    agree(StackedResNet(module)(tensors, inputs), expected, tuple(tensors.values()))


def test_second_derivatives_are_refused() -> None:
    module, tensors = stack(RESNET, models=2)
    loss = StackedResNet(module)(tensors, normal(2, 5, *SHAPE).detach()).square().sum()
    slopes = torch.autograd.grad(loss, tensors["stem.weight"], create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        slopes[0].sum().backward()
    with pytest.raises(RuntimeError):
        torch.autograd.grad(slopes[0].sum(), tensors["stem.weight"])


def test_what_one_layer_writes_the_next_reads_as_it_lies() -> None:
    written = convolve(normal(2, 3, 2, 4, 4), normal(2, 5, 2, 3, 3), Kernel(3, 1, 1))
    for features in (written, normalised(written, *torch.ones(2, 2, 5), 1e-5), written.relu()):
        assert in_memory(features).data_ptr() == features.data_ptr()


def test_a_model_that_is_not_finite_leaves_the_others_as_they_are() -> None:
    module, tensors = stack(RESNET, models=3)
    inputs = normal(3, 5, *SHAPE).detach()
    alone = StackedResNet(module)(tensors, inputs).detach()
    with torch.no_grad():
        tensors["stem.weight"][0] = torch.nan
    found = StackedResNet(module)(tensors, inputs)
    assert found[0].isnan().all()
    assert torch.equal(found[1:], alone[1:])


def test_the_module_that_gives_the_architecture_is_left_as_it_was() -> None:
    module, tensors = stack(RESNET, models=2)
    before = {name: t.clone() for name, t in module.state_dict().items()}
    StackedResNet(module)(tensors, normal(2, 5, *SHAPE).detach())
    assert all(torch.equal(before[name], t) for name, t in module.state_dict().items())
    assert isinstance(module.stem, nn.Conv2d)


def test_what_cannot_be_stacked_is_refused() -> None:
    layered = ResNet20(name="resnet-20", width=2, norm="layer")
    for architecture in (layered, Mlp(name="mlp", hidden_layers=1, width=3)):
        module = build(architecture, SHAPE, CLASSES)
        assert not can_stack(module)
        assert not is_narrow(module)
        with pytest.raises(ValueError, match="allowed are residual networks"):
            StackedResNet(module)


def test_a_network_is_narrow_by_its_widest_convolution() -> None:
    sizes = {width: RESNET.model_copy(update={"width": width}) for width in (4, 5)}
    assert CHANNELS == 2 * 4
    assert is_narrow(build(sizes[4], SHAPE, CLASSES))
    assert not is_narrow(build(sizes[5], SHAPE, CLASSES))

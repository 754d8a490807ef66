"""Weights go to flat vectors and back without loss."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from phasezoo.models.flat import (
    Weights,
    buffer_layout,
    load_weights,
    parameter_layout,
    weights_of,
)
from phasezoo.models.mlp import MLP
from phasezoo.models.small_resnet import SmallResNet

MODULES = [
    pytest.param(lambda: MLP((1, 3, 5), 7, 11, 2), id="mlp"),
    pytest.param(lambda: SmallResNet((3, 7, 7), 5, 3, 2), id="small-resnet"),
]


def scrambled(module: nn.Module) -> nn.Module:
    """Every number of a module another, counters included."""
    generator = torch.Generator().manual_seed(3)
    for tensor in [*module.parameters(), *module.buffers()]:
        fresh = 1000 * torch.rand(tensor.shape, generator=generator)
        tensor.data.copy_(fresh.to(tensor.dtype))
    return module


@pytest.mark.parametrize("make", MODULES)
def test_loading_what_was_read_gives_the_same_module(make: type[nn.Module]) -> None:
    module, other = scrambled(make()), make()
    load_weights(other, weights_of(module))
    for (name, tensor), (other_name, found) in zip(
        module.state_dict().items(), other.state_dict().items(), strict=True
    ):
        assert name == other_name
        assert found.dtype == tensor.dtype
        assert torch.equal(found, tensor)


@pytest.mark.parametrize("make", MODULES)
def test_a_vector_comes_back_as_it_went(make: type[nn.Module]) -> None:
    for layout in (parameter_layout(make()), buffer_layout(make())):
        vector = torch.arange(layout.size, dtype=torch.float32)
        assert torch.equal(layout.flatten(layout.unflatten(vector)), vector)


@pytest.mark.parametrize("make", MODULES)
def test_slots_follow_each_other_without_gaps(make: type[nn.Module]) -> None:
    module = make()
    layout = parameter_layout(module)
    ends = [slot.offset + slot.size for slot in layout.slots]
    assert [slot.offset for slot in layout.slots] == [0, *ends[:-1]]
    assert ends[-1] == layout.size == sum(p.numel() for p in module.parameters())
    assert [slot.name for slot in layout.slots] == [name for name, _ in module.named_parameters()]


def test_read_weights_do_not_follow_the_module() -> None:
    module = MLP((1, 3, 5), 7, 11, 2)
    weights = weights_of(module)
    before = weights.parameters.clone()
    scrambled(module)
    assert torch.equal(weights.parameters, before)


def test_a_module_without_buffers_has_an_empty_vector_of_them() -> None:
    assert weights_of(MLP((1, 3, 5), 7, 11, 2)).buffers.shape == (0,)


@pytest.mark.parametrize("shape", [(6,), (8,), (7, 1)])
def test_a_vector_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    layout = parameter_layout(nn.Linear(6, 1))  # 7 numbers
    with pytest.raises(ValueError, match=r"vector: got shape \(.*\), allowed is \(7,\)"):
        layout.unflatten(torch.zeros(shape))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_one_number_that_is_not_finite_makes_weights_not_finite(bad: float) -> None:
    good, spoilt = torch.zeros(5), torch.tensor([0.0, bad])
    assert Weights(good, good).finite
    assert not Weights(good, spoilt).finite
    assert not Weights(spoilt, good).finite

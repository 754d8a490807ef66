"""Permuting units changes the vector and not the function; a wrong spec is refused."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from torch import nn

from merging import nets
from phasezoo import rng
from phasezoo.data.physics import physics
from phasezoo.landscape.network import Network
from phasezoo.merging.permutation import (
    AlignmentError,
    Axes,
    PermutationSpec,
    permutation_spec,
    permute,
    prove,
)
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import Weights, weights_of
from phasezoo.spec.architecture import Architecture, Pinn, ResNet, ResNet20, Vgg

RESNET_18 = ResNet(name="resnet-18", width=3)
RESNET_50 = ResNet(name="resnet-50", width=2)
RESNET_20 = ResNet20(name="resnet-20", norm="layer", width=3)
VGG_16 = Vgg(name="vgg-16", norm="layer", width=3)
ARCHITECTURES = [
    pytest.param(nets.mlp(1, 7), id="mlp 1"),
    pytest.param(nets.mlp(2, 5), id="mlp 2"),
    pytest.param(nets.mlp(5, 3), id="mlp 5"),
    pytest.param(nets.resnet(1, 3), id="resnet 1"),
    pytest.param(nets.resnet(2, 3), id="resnet 2"),
    pytest.param(nets.resnet(3, 2), id="resnet 3"),
    pytest.param(Pinn(name="pinn", hidden_layers=4, width=5), id="pinn"),
    pytest.param(RESNET_18, id="resnet-18"),
    pytest.param(RESNET_50, id="resnet-50"),
    pytest.param(RESNET_20, id="resnet-20"),
    pytest.param(ResNet20(name="resnet-20", norm="batch", width=3), id="resnet-20 batch"),
    pytest.param(VGG_16, id="vgg-16"),
    pytest.param(Vgg(name="vgg-11", norm="batch", width=3), id="vgg-11 batch"),
    pytest.param(Vgg(name="vgg-11", norm="none", width=3), id="vgg-11 none"),
]
DEEP, RESIDUAL = nets.mlp(2, 5), nets.resnet(2, 3)


def spec_of(architecture: Architecture) -> PermutationSpec:
    return permutation_spec(nets.built(architecture))


def proven(architecture: Architecture, spec: PermutationSpec, given: Weights | None = None) -> None:
    given = given or nets.weights(architecture, 0)
    chance = rng.generator("prove")
    prove(nets.network(architecture), spec, given, nets.task_of(architecture).test_inputs, chance)


def test_entry_i_becomes_entry_perm_i_on_every_axis_of_the_permutation() -> None:
    net, spec = nets.network(nets.mlp(1, 3)), spec_of(nets.mlp(1, 3))
    vector = torch.arange(net.parameters.size).float()
    before = net.parameters.unflatten(vector)
    by = {"hidden.0": torch.tensor([2, 0, 1])}
    after = net.parameters.unflatten(
        permute(net, spec, Weights(vector, torch.empty(0)), by).parameters
    )
    assert torch.equal(after["hidden.0.weight"], before["hidden.0.weight"][[2, 0, 1]])
    assert torch.equal(after["hidden.0.bias"], before["hidden.0.bias"][[2, 0, 1]])
    assert torch.equal(after["head.weight"], before["head.weight"][:, [2, 0, 1]])
    assert torch.equal(after["head.bias"], before["head.bias"])


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_identity_changes_nothing(architecture: Architecture) -> None:
    net, spec, given = (
        nets.network(architecture),
        spec_of(architecture),
        nets.weights(architecture, 0),
    )
    by = {name: torch.arange(spec.size(name, net.parameters)) for name in spec.names}
    found = permute(net, spec, given, by)
    assert torch.equal(found.parameters, given.parameters)
    assert torch.equal(found.buffers, given.buffers)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("seed", range(3))
def test_a_permutation_changes_the_vector_and_not_the_function(
    architecture: Architecture, seed: int
) -> None:
    net, spec = nets.network(architecture), spec_of(architecture)
    given = nets.weights(architecture, seed)
    found = permute(net, spec, given, nets.random_permutations(net, spec, seed))
    assert not torch.equal(found.parameters, given.parameters)
    before = nets.wide_outputs(architecture, given, nets.task_of(architecture).test_inputs)
    after = nets.wide_outputs(architecture, found, nets.task_of(architecture).test_inputs)
    # the same sums in another order, in float64
    torch.testing.assert_close(after, before, rtol=0, atol=1e-12 * before.abs().max().item())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_permutation_moves_numbers_and_makes_none(architecture: Architecture) -> None:
    net, spec, given = (
        nets.network(architecture),
        spec_of(architecture),
        nets.weights(architecture, 1),
    )
    by = nets.random_permutations(net, spec, 1)
    found = permute(net, spec, given, by)
    assert torch.equal(found.parameters.sort().values, given.parameters.sort().values)
    assert torch.equal(found.buffers.sort().values, given.buffers.sort().values)
    back = permute(net, spec, found, {name: perm.argsort() for name, perm in by.items()})
    assert torch.equal(back.parameters, given.parameters)
    assert torch.equal(back.buffers, given.buffers)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_tensor_is_covered_with_one_entry_per_axis(architecture: Architecture) -> None:
    net, spec = nets.network(architecture), spec_of(architecture)
    shapes = {s.name: s.shape for s in (*net.parameters.slots, *net.buffers.slots) if s.shape}
    assert set(spec.axes) == set(shapes)
    for name, axes in spec.axes.items():
        assert len(axes) == len(shapes[name])


@pytest.mark.parametrize(
    ("architecture", "groups"),
    [
        (nets.mlp(3, 5), ["hidden.0", "hidden.1", "hidden.2"]),
        (nets.resnet(2, 3), ["stem", "blocks.0.conv1", "blocks.1.conv1", "blocks.1"]),
    ],
)
def test_what_is_added_is_permuted_together(architecture: Architecture, groups: list[str]) -> None:
    # a residual stream is one group per stage, with the inside of every block free
    assert sorted(spec_of(architecture).names) == sorted(groups)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_right_spec_is_proven(architecture: Architecture) -> None:
    proven(architecture, spec_of(architecture))


SWAPPED: list[tuple[Architecture, dict[str, Axes]]] = [
    (DEEP, {"hidden.1.weight": ("hidden.0", "hidden.1")}),
    (DEEP, {"hidden.1.weight": ("hidden.1", None)}),
    (DEEP, {"hidden.0.bias": ("hidden.1",)}),
    (DEEP, {"head.weight": (None, "hidden.0")}),
    (DEEP, {"head.weight": (None, None)}),
    (RESIDUAL, {"blocks.0.conv1.weight": ("stem", "blocks.0.conv1", None, None)}),
    (RESIDUAL, {"blocks.0.conv2.weight": ("blocks.0.conv1", "stem", None, None)}),
    (RESIDUAL, {"blocks.1.shortcut.0.weight": ("blocks.1.conv1", "stem", None, None)}),
    (RESIDUAL, {"blocks.0.norm1.running_mean": (None,)}),
    (RESIDUAL, {"blocks.1.shortcut.1.running_var": (None,)}),
    (RESIDUAL, {"norm.bias": ("blocks.0.conv1",)}),
    (RESNET_18, {"blocks.3.conv2.weight": ("blocks.2", "blocks.2.conv1", None, None)}),
    (RESNET_50, {"blocks.5.norm2.running_var": ("blocks.5.conv1",)}),
    (RESNET_50, {"blocks.15.conv3.weight": ("blocks.13", "blocks.15.conv1", None, None)}),
    (RESNET_20, {"blocks.6.shortcut.1.bias": (None,)}),
    (VGG_16, {"blocks.12.norm.weight": ("blocks.11",)}),
    (VGG_16, {"hidden.0.weight": ("hidden.0", "hidden.1")}),
]


@pytest.mark.parametrize(
    ("architecture", "wrong"), SWAPPED, ids=[next(iter(w)) for _, w in SWAPPED]
)
def test_a_wrong_axis_is_refused_by_its_tensor_and_how_much_the_outputs_change(
    architecture: Architecture, wrong: Mapping[str, Axes]
) -> None:
    spec = PermutationSpec({**spec_of(architecture).axes, **wrong})
    said = rf"{next(iter(wrong))}: permuted wrongly by .*, outputs change by .*, allowed is 1e-04"
    with pytest.raises(AlignmentError, match=said):
        proven(architecture, spec)


@pytest.mark.parametrize("architecture", [DEEP, RESIDUAL, VGG_16], ids=["mlp", "resnet", "vgg"])
def test_a_tensor_left_out_is_refused_by_name(architecture: Architecture) -> None:
    axes = spec_of(architecture).axes
    for gone in axes:
        spec = PermutationSpec({name: a for name, a in axes.items() if name != gone})
        with pytest.raises(AlignmentError, match=f"{gone}: not in the permutation spec"):
            proven(architecture, spec)


def test_a_model_whose_outputs_overflow_is_passed_over() -> None:
    given = nets.weights(DEEP, 0)
    far = Weights(given.parameters * 1e25, given.buffers)
    assert far.finite
    proven(DEEP, spec_of(DEEP), far)


def test_residuals_that_are_all_rounding_refuse_no_spec() -> None:
    """Near 0 a line of u that moves with beta: its derivatives are large, and cancel over units."""
    beta = torch.tensor([30.0, 1.0])
    module = build(Pinn(name="pinn", hidden_layers=1, width=53), (2,), 1)
    initialise(module, rng.generator("wave"))
    with torch.no_grad():
        for bias in (p for p in module.parameters() if p.dim() == 1):
            bias.zero_()
        slopes = module.get_parameter("hidden.0.weight") @ beta
        head = module.get_parameter("head.weight")
        head -= head @ slopes / slopes.square().sum() * slopes
    net = Network(module, torch.device("cpu"), physics("convection", 30.0))
    rows = torch.cat(
        [torch.rand(64, 4, generator=rng.generator("rows")) / 1e6, torch.eye(4)[:1].expand(64, 4)],
        dim=1,
    )
    spec, given = permutation_spec(module), weights_of(module)
    moved = permute(net, spec, given, nets.random_permutations(net, spec, 0))
    before, after = (net.function(weights)(rows) for weights in (given, moved))
    assert (after - before).abs().max() > 1e-4 * before.abs().max()
    prove(net, spec, given, rows, rng.generator("prove"))
    wrong = PermutationSpec({**spec.axes, "head.weight": (None, None)})
    with pytest.raises(AlignmentError, match="outputs change"):
        prove(net, wrong, given, rows, rng.generator("prove"))


# published for Git Re-Basin: 12 of its ResNet-20, 15 of VGG-16, 37 of ResNet-50
@pytest.mark.parametrize(
    ("architecture", "groups"), [(RESNET_18, 12), (RESNET_20, 12), (VGG_16, 15), (RESNET_50, 37)]
)
def test_a_network_has_its_number_of_permutations(architecture: Architecture, groups: int) -> None:
    assert len(spec_of(architecture).names) == groups


def test_a_module_whose_spec_is_not_written_out_is_refused_by_name() -> None:
    with pytest.raises(
        AlignmentError, match="module: got Linear, allowed are MLP, ResNet, VGG; or infer its spec"
    ):
        permutation_spec(nn.Linear(3, 5))

"""The smallest weights go, just as many as asked, and nothing but weights of layers."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from phasezoo.models.build import build
from phasezoo.models.flat import load_weights, parameter_layout
from phasezoo.spec.architecture import Architecture, Gpt2, Vit
from phasezoo.transfer.magnitudes import kept, prunable
from transfer import nets

BOTH = pytest.mark.parametrize("architecture", [nets.MLP, nets.RESNET], ids=["mlp", "resnet"])
SPARSITIES = pytest.mark.parametrize("sparsity", [0.0, 0.31, 0.5, 0.97])


def module_of(architecture: Architecture) -> nn.Module:
    return build(architecture, nets.TASK.shape, nets.TASK.classes)


@BOTH
@SPARSITIES
@pytest.mark.parametrize("scope", ["global", "layer"])
def test_they_are_those_that_another_library_removes(
    architecture: Architecture, sparsity: float, scope: str
) -> None:
    weights = nets.model(architecture)
    module = load_weights(module_of(architecture), weights)
    layers = [m for m in module.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    if scope == "global":
        together = [(layer, "weight") for layer in layers]
        prune.global_unstructured(together, prune.L1Unstructured, amount=sparsity)
    else:
        for layer in layers:
            prune.l1_unstructured(layer, "weight", amount=sparsity)
    expected = {name: layer.weight for name, layer in module.named_modules() if layer in layers}
    plain = module_of(architecture)
    stays = kept(plain, weights.parameters, sparsity, scope)
    found = parameter_layout(plain).unflatten(weights.parameters * stays)
    for name, tensor in expected.items():
        assert torch.equal(found[f"{name}.weight"], tensor), name
    rest = [slot.name for slot in parameter_layout(plain).slots if slot not in prunable(plain)]
    assert all("bias" in name or "norm" in name or "shortcut.1" in name for name in rest)
    assert all(parameter_layout(plain).unflatten(stays)[name].all() for name in rest)


@SPARSITIES
def test_just_that_share_goes(sparsity: float) -> None:
    module, vector = module_of(nets.RESNET), nets.model(nets.RESNET).parameters
    sizes = [slot.size for slot in prunable(module)]
    assert (~kept(module, vector, sparsity, "global")).sum() == round(sparsity * sum(sizes))
    each = sum(round(sparsity * size) for size in sizes)
    assert (~kept(module, vector, sparsity, "layer")).sum() == each


def test_of_equal_weights_the_first_go_first() -> None:
    module = module_of(nets.MLP)
    vector = torch.ones(parameter_layout(module).size)
    stays = kept(module, vector, 0.5, "layer")
    for slot in prunable(module):
        of_slot = stays[slot.offset : slot.offset + slot.size]
        assert not of_slot[: round(slot.size / 2)].any()
        assert of_slot[round(slot.size / 2) :].all()


@BOTH
def test_permuting_units_changes_which_but_not_what_they_are(architecture: Architecture) -> None:
    network, weights = nets.network(architecture), nets.model(architecture)
    moved = nets.permuted(network, weights)
    for scope in ("global", "layer"):
        one, other = (
            w.parameters * kept(network.module, w.parameters, 0.6, scope) for w in (weights, moved)
        )
        assert not torch.equal(one, other)
        assert torch.equal(one.sort().values, other.sort().values)


def test_transformers_keep_embeddings_positions_and_a_head_that_is_one() -> None:
    gpt = build(Gpt2(name="gpt-2", depth=1, heads=1, model_dim=4), (5,), 11)
    vit = build(Vit(name="vit", depth=1, heads=1, patch_size=5, embedding_dim=4), (1, 5, 5), 3)
    layers = {f"blocks.0.{name}.weight" for name in ("attention.qkv", "attention.out")}
    layers |= {f"blocks.0.perceptron.{name}.weight" for name in ("hidden", "out")}
    assert {slot.name for slot in prunable(gpt)} == layers
    assert {slot.name for slot in prunable(vit)} == layers | {"patches.weight", "head.weight"}

"""Features are what the named modules put out, whatever the size of the batches."""

from __future__ import annotations

import pytest
import torch

import oracles
from landscape.pairs import RESNET, TASK, network, trained
from phasezoo.landscape import network as network_module
from phasezoo.landscape.cka import debiased_cka, linear_cka
from phasezoo.landscape.features import condensed, features_of
from phasezoo.models.build import build
from phasezoo.models.flat import load_weights
from phasezoo.spec.architecture import Mlp, SmallResNet

INPUTS = TASK.test_inputs


def test_features_of_an_mlp_are_its_formula() -> None:
    weights = trained(0)
    logits, layers = features_of(network(), weights, INPUTS, ["hidden.0", "head"])
    tensors = network().parameters.unflatten(weights.parameters)
    hidden = INPUTS.flatten(1) @ tensors["hidden.0.weight"].T + tensors["hidden.0.bias"]
    out = hidden.relu() @ tensors["head.weight"].T + tensors["head.bias"]
    torch.testing.assert_close(layers["hidden.0"], hidden)
    torch.testing.assert_close(logits, out)
    assert torch.equal(layers["head"], logits)


def test_features_of_a_block_are_flattened_and_of_evaluation_mode() -> None:
    weights = trained(0, RESNET)
    _, layers = features_of(network(RESNET), weights, INPUTS, ["norm", "blocks.0"])
    module = load_weights(build(RESNET, TASK.shape, TASK.classes), weights)
    assert isinstance(module.get_submodule("blocks"), torch.nn.ModuleList)
    normed = module.get_submodule("norm")(module.get_submodule("stem")(INPUTS))
    block = module.get_submodule("blocks.0")(normed.relu())
    torch.testing.assert_close(layers["norm"], normed.flatten(1))
    torch.testing.assert_close(layers["blocks.0"], block.flatten(1))


def test_batches_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = features_of(network(RESNET), trained(0, RESNET), INPUTS, ["norm"])
    monkeypatch.setattr(network_module, "_COMPARED", 7)
    parts = features_of(network(RESNET), trained(0, RESNET), INPUTS, ["norm"])
    torch.testing.assert_close(parts[0], whole[0])
    torch.testing.assert_close(parts[1]["norm"], whole[1]["norm"])


@pytest.mark.parametrize("name", ["hidden", "hidden.7", ""])
def test_an_unknown_layer_is_refused_with_those_there_are(name: str) -> None:
    net = network()
    if name == "hidden":  # a list of layers, which is never called
        with pytest.raises(ValueError, match=r"layers: got 'hidden', which puts nothing out"):
            features_of(net, trained(0), INPUTS, [name])
    else:
        allowed = r"allowed are hidden, hidden.0, head"
        with pytest.raises(ValueError, match=f"layers: got '{name}', {allowed}"):
            features_of(net, trained(0), INPUTS, [name])
    assert not any(module._forward_hooks for module in net.module.modules())


@pytest.mark.parametrize(
    "architecture",
    [
        Mlp(name="mlp", hidden_layers=3, width=5),
        SmallResNet(name="small-resnet", stages=2, width=3),
    ],
)
def test_the_layers_that_a_spec_names_are_modules(architecture: Mlp | SmallResNet) -> None:
    module = build(architecture, TASK.shape, TASK.classes)
    assert set(architecture.layers) <= {name for name, _ in module.named_modules()}
    assert architecture.layers[-1] == "head"


def test_a_wide_layer_is_condensed_without_a_change_of_cka() -> None:
    wide = oracles.vector(2 * 23 * 101, 0).reshape(2, 23, 101)
    wide[1] += wide[0]
    narrow = torch.stack([condensed(side) for side in wide])
    assert narrow.shape == (2, 23, 23)
    for found in (linear_cka, debiased_cka):
        torch.testing.assert_close(found(narrow), found(wide), rtol=1e-10, atol=0)


def test_a_narrow_layer_is_only_widened_to_float64() -> None:
    narrow = oracles.vector(23 * 5, 0).reshape(23, 5).float()
    assert torch.equal(condensed(narrow), narrow.double())


def test_what_is_not_finite_stays_so() -> None:
    assert condensed(torch.full((3, 7), torch.nan)).isnan().all()
    assert condensed(torch.full((3, 7), torch.nan)).shape == (3, 3)

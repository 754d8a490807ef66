"""Features are what the named modules put out, whatever the size of the batches."""

from __future__ import annotations

import pytest
import torch

from landscape.pairs import RESNET, TASK, network, trained
from phasezoo.landscape import features as features_module
from phasezoo.landscape import network as network_module
from phasezoo.landscape.features import condensed_features, features_of
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


def condensed(architecture: Mlp | SmallResNet, layers: list[str]) -> list[torch.Tensor]:
    net, model = network(architecture), trained(0, architecture)
    told, found = condensed_features(net, model, INPUTS, layers, lambda outputs: outputs[:, 0])
    torch.testing.assert_close(told, features_of(net, model, INPUTS, [])[0][:, 0])
    return [each.features() for each in found]


@pytest.mark.parametrize("numbers", [1, 2_000, 10_000])
def test_blocks_change_nothing_but_rounding(monkeypatch: pytest.MonkeyPatch, numbers: int) -> None:
    """Outputs are narrow, the layer is wide."""
    _, layers = features_of(network(RESNET), trained(0, RESNET), INPUTS, ["norm"])
    assert layers["norm"].shape[1] > len(INPUTS)
    whole = condensed(RESNET, ["norm"])
    monkeypatch.setattr(features_module, "_NUMBERS", numbers)
    parts = condensed(RESNET, ["norm"])
    torch.testing.assert_close(parts[0], whole[0], rtol=1e-6, atol=1e-6)
    assert parts[1].shape == whole[1].shape == (len(INPUTS),) * 2
    centred = [side - side.mean(0) for side in (parts[1], whole[1], layers["norm"].double())]
    of_parts, of_whole, expected = (side @ side.T for side in centred)
    torch.testing.assert_close(of_parts, of_whole, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(of_whole, expected, rtol=1e-10, atol=1e-10)


def test_no_more_is_held_than_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    net, model = network(RESNET), trained(0, RESNET)
    each = sum(found.numel() for found in condensed_sizes(["norm", "blocks.0"]))
    asked: list[int] = []

    def counted(*given: object) -> object:
        asked.append(len(given[2]))  # type: ignore[arg-type]
        return features_of(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(features_module, "features_of", counted)
    monkeypatch.setattr(features_module, "_NUMBERS", 7 * each + 1)
    condensed_features(net, model, INPUTS, ["norm", "blocks.0"], lambda outputs: outputs[:, 0])
    blocks = -(-len(INPUTS) // 7)
    assert max(asked) == 7
    assert len(asked) == 1 + blocks * (blocks + 1) // 2  # one input to know the sizes, every pair
    asked.clear()
    condensed_features(net, model, INPUTS, [], lambda outputs: outputs[:, 0])
    assert asked == [1, len(INPUTS)]


def condensed_sizes(layers: list[str]) -> list[torch.Tensor]:
    outputs, found = features_of(network(RESNET), trained(0, RESNET), INPUTS[:1], layers)
    return [outputs, *found.values()]

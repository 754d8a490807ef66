"""Activation matching finds hidden permutations, and its matrices are those of plain numpy."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import torch
from torch import nn

from merging import nets
from phasezoo import rng
from phasezoo.merging import activations as streamed
from phasezoo.merging.activation_matching import Statistic, activation_matching
from phasezoo.merging.activations import moments, sites_of
from phasezoo.merging.alignment import Alignment
from phasezoo.merging.permutation import AlignmentError, PermutationSpec, permutation_spec, permute
from phasezoo.models.flat import Weights, load_weights
from phasezoo.spec.architecture import Architecture, Pinn, ResNet20, Vgg

ARCHITECTURES = [
    nets.mlp(3, 7),
    nets.resnet(2, 5),
    Pinn(name="pinn", hidden_layers=3, width=5),
    ResNet20(name="resnet-20", norm="batch", width=3),
    Vgg(name="vgg-11", norm="batch", width=3),
]
ALL = pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda a: a.name)
BOTH = pytest.mark.parametrize("statistic", ["correlation", "product"])
SMALL = nets.mlp(1, 5)


def aligned(
    architecture: Architecture, models: list[Weights], statistic: Statistic = "correlation"
) -> Alignment:
    net = nets.network(architecture)
    inputs = nets.task_of(architecture).train_inputs
    return activation_matching(
        net,
        permutation_spec(net.module),
        models,
        rng.generator("unused"),
        inputs=inputs,
        statistic=statistic,
    )


@ALL
def test_a_hidden_permutation_is_found(architecture: Architecture) -> None:
    net = nets.network(architecture)
    spec = permutation_spec(net.module)
    A = nets.weights(architecture, 0)
    B = permute(net, spec, A, nets.random_permutations(net, spec, 1))
    found = aligned(architecture, [A, B])
    (_, back) = found.applied(net, spec, [A, B])
    inputs = nets.task_of(architecture).train_inputs
    dead = [of == 0 for of in moments(net, A, inputs, sites_of(net, spec)).deviation.values()]
    if not torch.cat(dead).any():  # units that never do anything cannot be told apart
        assert torch.equal(back.parameters, A.parameters)
        assert torch.equal(back.buffers, A.buffers)
    assert found.gain > 0


def hidden(architecture: Architecture, given: Weights) -> np.ndarray:
    """What the one hidden layer puts out after its nonlinearity, [samples, units] in float64."""
    module = load_weights(nets.built(architecture), given).double()
    inputs = nets.TASK.train_inputs.flatten(1).double()
    with torch.no_grad():
        return module.get_submodule("hidden.0")(inputs).relu().numpy()


@BOTH
@pytest.mark.parametrize("seed", range(3))
def test_one_layer_is_the_best_of_all_permutations(statistic: Statistic, seed: int) -> None:
    A, B = (nets.weights(SMALL, 2 * seed + i) for i in range(2))
    a, b = (hidden(SMALL, of) for of in (A, B))
    if statistic == "product":
        gains = a.T @ b / len(a)
    else:
        gains = np.nan_to_num(np.corrcoef(a.T, b.T)[:5, 5:])
    values = {p: gains[range(5), p].sum() for p in permutations(range(5))}
    found = aligned(SMALL, [A, B], statistic)
    best = max(values, key=lambda p: values[p])
    assert found.permutations[1]["hidden.0"].tolist() == list(best)
    # float32 activations against float64 ones
    assert found.objective[1] == pytest.approx(values[best], rel=1e-5)
    assert found.objective[0] == pytest.approx(values[0, 1, 2, 3, 4], rel=1e-5, abs=1e-5)


def test_moments_do_not_depend_on_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    architecture = nets.resnet(2, 3)
    net, given = nets.network(architecture), nets.weights(architecture, 0)
    sites = sites_of(net, permutation_spec(net.module))
    inputs = nets.TASK.train_inputs + 100  # a mean that hides the deviation from naive sums
    whole = moments(net, given, inputs, sites)
    seen: dict[str, torch.Tensor] = {}
    module = load_weights(nets.built(architecture), given)
    for name, layer in module.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_pre_hook(
                lambda layer, given, name=name: seen.__setitem__(
                    name,
                    given[0].movedim(1, -1).flatten(0, -2)
                    if isinstance(layer, nn.Conv2d)
                    else given[0],
                )
            )
    with torch.no_grad():
        module(inputs)
    monkeypatch.setattr(streamed, "CHUNK", 7)
    parts = moments(net, given, inputs, sites)
    for site in sites.axes:
        values = seen[site.removesuffix(".in")].double()
        for found in (whole, parts):
            torch.testing.assert_close(found.mean[site], values.mean(0), rtol=1e-5, atol=1e-6)
            deviation = values.std(0, correction=0)
            torch.testing.assert_close(found.deviation[site], deviation, rtol=1e-4, atol=1e-5)


@ALL
def test_a_model_correlates_with_itself_as_often_as_its_units_are_seen(
    architecture: Architecture,
) -> None:
    net, one = nets.network(architecture), nets.weights(architecture, 0)
    sites = sites_of(net, permutation_spec(net.module))
    inputs = nets.task_of(architecture).train_inputs
    alive = [(of > 0).sum().item() for of in moments(net, one, inputs, sites).deviation.values()]
    assert aligned(architecture, [one, one]).objective == pytest.approx((sum(alive),) * 2, rel=1e-5)


def test_correlations_do_not_see_scales() -> None:
    """Units of a ReLU network times a positive number, undone after it, do what they did."""
    A, B = nets.weights(SMALL, 0), nets.weights(SMALL, 1)
    net = nets.network(SMALL)
    tensors = net.parameters.unflatten(B.parameters.clone())
    scales = torch.tensor([0.01, 3.0, 70.0, 1.0, 0.5])
    tensors["hidden.0.weight"] *= scales[:, None]
    tensors["hidden.0.bias"] *= scales
    tensors["head.weight"] /= scales
    scaled = Weights(net.parameters.flatten(tensors), B.buffers)
    plain, other = (aligned(SMALL, [A, of]) for of in (B, scaled))
    assert torch.equal(plain.permutations[1]["hidden.0"], other.permutations[1]["hidden.0"])
    products = [aligned(SMALL, [A, of], "product").permutations[1] for of in (B, scaled)]
    assert not torch.equal(products[0]["hidden.0"], products[1]["hidden.0"])


def test_every_model_is_brought_to_the_first() -> None:
    models = [nets.weights(SMALL, seed) for seed in range(3)]
    together = aligned(SMALL, models)
    for i in (1, 2):
        alone = aligned(SMALL, [models[0], models[i]])
        assert torch.equal(together.permutations[i]["hidden.0"], alone.permutations[1]["hidden.0"])


def test_units_that_are_seen_nowhere_are_refused() -> None:
    net = nets.network(SMALL)
    axes = {"hidden.0.weight": (None, None), "head.weight": (None, None), "hidden.0.bias": ("p",)}
    with pytest.raises(AlignmentError, match="p: no linear layer or convolution has its units"):
        sites_of(net, PermutationSpec(axes))

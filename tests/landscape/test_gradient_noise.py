"""The noise scale is that of its definition, unbiased in its parts, with errors that cover."""

from __future__ import annotations

import weakref

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import oracles
from phasezoo import rng
from phasezoo.landscape import gradient_noise
from phasezoo.landscape.gradient_noise import (
    NoiseScale,
    gradient_products,
    noise_of,
    noise_scale,
)
from phasezoo.landscape.network import Network
from phasezoo.models.build import initialise
from phasezoo.models.flat import Weights, weights_of
from phasezoo.models.mlp import MLP
from phasezoo.models.small_resnet import SmallResNet

CPU = torch.device("cpu")
TASK = oracles.blobs(train=37, shape=(1, 4, 4))
INPUTS, LABELS = TASK.train_inputs, TASK.train_labels


def mlp() -> nn.Module:
    return MLP(TASK.shape, 3, 7, 2)


def resnet() -> nn.Module:
    return SmallResNet(TASK.shape, 3, 2, 2)


def drawn(module: nn.Module, *names: object) -> Weights:
    initialise(module, rng.generator("noise", *names))
    return weights_of(module)


def one_by_one(module: nn.Module) -> Tensor:
    """Gradients [n, P] float64 by ordinary backward passes."""
    rows = []
    for one, label in zip(INPUTS, LABELS, strict=True):
        module.zero_grad()
        functional.cross_entropy(module(one[None]), label[None]).backward()
        rows.append(torch.cat([p.grad.reshape(-1) for p in module.parameters()]))  # type: ignore[union-attr]
    return torch.stack(rows).double()


def products(gradients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.square(gradients).sum(axis=1), gradients @ gradients.mean(axis=0)


def values(found: NoiseScale) -> list[float]:
    parts = (found.scale, found.squared_gradient, found.gradient_variance)
    return [v for part in parts for v in (part.value, part.standard_error)]


@pytest.mark.parametrize("make", [mlp, resnet])
def test_products_are_those_of_single_backward_passes(make: type) -> None:
    module = make().eval()
    weights = drawn(module, "products")
    gradients = one_by_one(module).numpy()
    squares, along = gradient_products(Network(module, CPU), weights, INPUTS, LABELS)
    expected = products(gradients)
    np.testing.assert_allclose(squares, expected[0], rtol=1e-4)
    np.testing.assert_allclose(along, expected[1], rtol=1e-3, atol=1e-4 * np.abs(along).max())


@pytest.mark.parametrize("chunk", [1, 5, 37])
def test_chunks_change_nothing(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    module = mlp()
    network, weights = Network(module, CPU), drawn(module, "chunks")
    whole = gradient_products(network, weights, INPUTS, LABELS)
    monkeypatch.setattr(gradient_noise, "SAMPLES", chunk)
    found = gradient_products(network, weights, INPUTS, LABELS)
    np.testing.assert_allclose(found, whole, rtol=2e-5, atol=1e-6)


def test_memory_does_not_grow_with_the_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    module = mlp()
    network, weights = Network(module, CPU), drawn(module, "memory")
    monkeypatch.setattr(gradient_noise, "NUMBERS", 1)
    alive: weakref.WeakSet[Tensor] = weakref.WeakSet()
    most = 0
    true = gradient_noise.grad

    def watched(function: object) -> object:
        of = true(function)

        def slope(*arguments: Tensor) -> Tensor:
            nonlocal most
            found = of(*arguments)
            if not torch._C._functorch.is_batchedtensor(found):
                alive.add(found)
                most = max(most, len(alive))
            return found

        return slope

    monkeypatch.setattr(gradient_noise, "grad", watched)
    gradient_products(network, weights, INPUTS, LABELS)
    assert 0 < most <= 2  # of 37


def test_softmax_regression_has_its_closed_form() -> None:
    """The gradient of sample i is (p_i - e_i) x_i^T, and p_i - e_i for the bias."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    weights = weights_of(module)
    network = Network(module, CPU)
    (found,) = noise_scale(network, [weights], INPUTS, LABELS)
    x = INPUTS.flatten(1).double()
    p = functional.softmax(module(INPUTS).double(), dim=1) - functional.one_hot(LABELS, 3)
    extended = torch.cat([x, torch.ones(37, 1)], dim=1)
    gradients = torch.einsum("nk,nd->nkd", p, extended).flatten(1).detach().numpy()
    covariance = np.cov(gradients.T)  # an independent way to the trace
    squared = np.square(gradients.mean(axis=0)).sum() - np.trace(covariance) / 37
    assert found.gradient_variance.value == pytest.approx(np.trace(covariance), rel=1e-5)
    assert found.squared_gradient.value == pytest.approx(squared, rel=1e-4)
    assert found.scale.value == pytest.approx(np.trace(covariance) / squared, rel=1e-4)


def test_the_paper_s_two_batch_sizes_give_the_same_on_average() -> None:
    """Appendix A.1 with every single sample as the small batch and all of them as the big one."""
    gradients = np.random.default_rng(0).standard_normal((19, 4)) + 0.7
    big = np.square(gradients.mean(axis=0)).sum()
    small = np.square(gradients).sum(axis=1).mean()
    squared = (19 * big - 1 * small) / (19 - 1)
    variance = (small - big) / (1 - 1 / 19)
    found = noise_of(*products(gradients))
    assert found.squared_gradient.value == pytest.approx(squared, rel=1e-12)
    assert found.gradient_variance.value == pytest.approx(variance, rel=1e-12)


@pytest.mark.parametrize("population", [None, 11, 40])
def test_errors_are_those_of_leaving_samples_out_one_by_one(population: int | None) -> None:
    gradients = np.random.default_rng(1).standard_normal((11, 5)) + 1.0
    found = noise_of(*products(gradients), population)
    rest = [np.delete(gradients, i, axis=0) for i in range(11)]
    left = np.array([values(noise_of(*products(g), population))[::2] for g in rest])
    unseen = 1 - 11 / population if population else 1
    errors = np.sqrt(unseen * 10 / 11 * np.square(left - left.mean(axis=0)).sum(axis=0))
    np.testing.assert_allclose(values(found)[1::2], errors, rtol=1e-8, atol=1e-12)


def test_parts_are_unbiased_and_errors_cover_on_draws_without_bound() -> None:
    random = np.random.default_rng(2)
    mean, scales = np.array([0.6, -0.3, 0.2, 0.0]), np.array([1.0, 0.5, 2.0, 1.5])
    found = [
        noise_of(*products(mean + scales * random.standard_normal((150, 4)))) for _ in range(400)
    ]
    truth = {
        "squared_gradient": np.square(mean).sum(),
        "gradient_variance": np.square(scales).sum(),
        "scale": np.square(scales).sum() / np.square(mean).sum(),
    }
    for name, value in truth.items():
        estimates = [getattr(one, name) for one in found]
        drawn = np.array([e.value for e in estimates])
        covered = np.mean([abs(e.value - value) <= 2 * e.standard_error for e in estimates])
        assert 0.90 <= covered <= 0.985, name
        if name != "scale":  # a ratio is not unbiased
            assert abs(drawn.mean() - value) < 4 * drawn.std() / 20, name


def test_parts_are_unbiased_and_errors_cover_within_a_population() -> None:
    random = np.random.default_rng(3)
    everyone = 0.4 + random.standard_normal((90, 4))
    squared = np.square(everyone.mean(axis=0)).sum()
    variance = np.trace(np.cov(everyone.T))
    found = [
        noise_of(*products(everyone[random.permutation(90)[:60]]), population=90)
        for _ in range(400)
    ]
    for name, value in (("squared_gradient", squared), ("gradient_variance", variance)):
        estimates = [getattr(one, name) for one in found]
        drawn = np.array([e.value for e in estimates])
        covered = np.mean([abs(e.value - value) <= 2 * e.standard_error for e in estimates])
        assert abs(drawn.mean() - value) < 4 * drawn.std() / 20, name
        assert 0.90 <= covered <= 0.985, name


def test_the_whole_population_has_no_error() -> None:
    everyone = np.random.default_rng(4).standard_normal((13, 3))
    found = noise_of(*products(everyone), population=13)
    assert found.squared_gradient.value == pytest.approx(np.square(everyone.mean(axis=0)).sum())
    assert values(found)[1::2] == [0.0, 0.0, 0.0]
    assert found.converged


def test_a_gradient_that_is_all_noise_has_no_scale() -> None:
    noise = np.random.default_rng(5).standard_normal((40, 3))
    found = noise_of(*products(noise - noise.mean(axis=0)))
    assert found.squared_gradient.value < 0
    assert np.isnan(found.scale.value)
    assert not found.converged
    assert found.gradient_variance.value == pytest.approx(3, rel=0.5)


def test_permuting_hidden_units_changes_nothing() -> None:
    module = mlp()
    weights, network = drawn(module, "permute"), Network(module, CPU)
    tensors = network.parameters.unflatten(weights.parameters)
    order = torch.randperm(7, generator=rng.generator("order"))
    for name in ("hidden.0.weight", "hidden.0.bias"):
        tensors[name] = tensors[name][order]
    tensors["hidden.1.weight"] = tensors["hidden.1.weight"][:, order]
    permuted = Weights(network.parameters.flatten(tensors), weights.buffers)
    one, other = noise_scale(network, [weights, permuted], INPUTS, LABELS)
    np.testing.assert_allclose(values(other), values(one), rtol=1e-4)


def test_a_lost_model_gives_no_number_and_leaves_the_others_as_they_are() -> None:
    module = resnet()
    weights, network = drawn(module, "lost"), Network(module, CPU)
    lost = Weights(weights.parameters * float("inf"), weights.buffers)
    found = noise_scale(network, [lost, weights], INPUTS, LABELS)
    assert np.isnan(values(found[0])).all()
    assert not found[0].converged
    assert found[1] == noise_scale(network, [weights], INPUTS, LABELS)[0]


def test_fewer_than_three_samples_or_more_than_there_are_are_refused() -> None:
    network = Network(mlp(), CPU)
    with pytest.raises(ValueError, match="samples: got 2, allowed are from 3"):
        noise_scale(network, [], INPUTS[:2], LABELS[:2])
    with pytest.raises(ValueError, match="samples: got 37, allowed are from 3 to the population"):
        noise_scale(network, [], INPUTS, LABELS, population=36)

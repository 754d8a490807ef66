"""Norms and tails are those of numpy, for each model alone, whatever the order of its units."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
import torch
from torch import nn

from phasezoo import rng
from phasezoo.landscape import spectra as module_under_test
from phasezoo.landscape.network import Network
from phasezoo.landscape.power_law import NO_TAIL
from phasezoo.landscape.spectra import Spectra, matrices, spectra
from phasezoo.models.build import initialise
from phasezoo.models.flat import Weights, weights_of
from phasezoo.models.mlp import MLP
from phasezoo.models.small_resnet import SmallResNet

CPU = torch.device("cpu")
SHAPE = (1, 5, 5)


def mlp() -> nn.Module:
    return MLP(SHAPE, 11, 13, 2)


def resnet() -> nn.Module:
    return SmallResNet(SHAPE, 3, 5, 2)


def drawn(module: nn.Module, *names: object) -> Weights:
    initialise(module, rng.generator("spectra", *names))
    return weights_of(module)


def times(factor: float, weights: Weights) -> Weights:
    return Weights(factor * weights.parameters, weights.buffers)


def numbers(found: Spectra) -> np.ndarray:
    """Everything but the starts of tails, as one array."""
    tails = [(*astuple(t.exponent), t.distance, t.values) for t in found.tails]
    means = (astuple(found.mean_tail_exponent), astuple(found.weighted_tail_exponent))
    parts = [found.frobenius_norm, found.spectral_norm, found.stable_rank, tails, *means]
    norms = [found.weight_norm, found.distance_from_start]
    return np.concatenate([np.ravel(np.asarray(part, dtype=float)) for part in (*parts, norms)])


@pytest.mark.parametrize("make", [mlp, resnet])
def test_norms_are_those_of_numpy_on_the_named_tensors(make: type) -> None:
    module = make()
    weights, start = drawn(module, "start"), drawn(module, "model")
    network = Network(module, CPU)
    (found,) = spectra(network, [weights], [start])
    tensors = network.parameters.unflatten(weights.parameters)
    wide = {name: t for name, t in tensors.items() if t.ndim >= 2}
    assert [slot.name for slot in matrices(network)] == list(wide)
    for i, tensor in enumerate(wide.values()):
        matrix = tensor.double().numpy().reshape(tensor.shape[0], -1)
        values = np.linalg.eigvalsh(matrix @ matrix.T)
        assert found.spectral_norm[i] == pytest.approx(np.sqrt(values[-1]), rel=1e-10)
        assert found.frobenius_norm[i] == pytest.approx(np.sqrt((matrix**2).sum()), rel=1e-10)
        assert found.stable_rank[i] == pytest.approx((matrix**2).sum() / values[-1], rel=1e-10)
        assert 1 <= found.stable_rank[i] <= min(matrix.shape)
    all_numbers = weights.parameters.double().numpy()
    assert found.weight_norm == pytest.approx(np.linalg.norm(all_numbers), rel=1e-12)
    moved = np.linalg.norm(all_numbers - start.parameters.double().numpy())
    assert found.distance_from_start == pytest.approx(moved, rel=1e-12)


def test_a_matrix_of_known_singular_values() -> None:
    random = np.random.default_rng(0)
    left, _ = np.linalg.qr(random.standard_normal((23, 23)))
    right, _ = np.linalg.qr(random.standard_normal((29, 23)))
    eigenvalues = (1 - np.arange(23) / 23) ** (-1 / 1.5)  # quantiles of exponent 2.5
    module = nn.Linear(29, 23)
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy((left * np.sqrt(eigenvalues)) @ right.T))
    (found,) = spectra(Network(module, CPU), [weights_of(module)])
    assert found.spectral_norm[0] == pytest.approx(np.sqrt(eigenvalues.max()), rel=1e-6)
    assert found.stable_rank[0] == pytest.approx(eigenvalues.sum() / eigenvalues.max(), rel=1e-6)
    exponent = found.tails[0].exponent
    assert abs(exponent.value - 2.5) < exponent.standard_error
    assert found.mean_tail_exponent == exponent
    weighted = exponent.value * np.log10(eigenvalues.max())
    assert found.weighted_tail_exponent.value == pytest.approx(weighted, rel=1e-6)


def test_means_leave_out_matrices_without_a_tail() -> None:
    module = MLP(SHAPE, 3, 17, 1)  # the head has 3 singular values
    (found,) = spectra(Network(module, CPU), [drawn(module, "tail")])
    assert found.tails[1] is NO_TAIL
    assert found.mean_tail_exponent == found.tails[0].exponent


def test_the_error_of_the_mean_is_that_of_independent_matrices() -> None:
    module = mlp()
    (found,) = spectra(Network(module, CPU), [drawn(module, "mean")])
    errors = [tail.exponent.standard_error for tail in found.tails]
    expected = np.sqrt(np.square(errors).sum()) / 3
    assert found.mean_tail_exponent.standard_error == pytest.approx(expected, rel=1e-12)


def test_scaling_scales_the_norms_and_leaves_ranks_and_exponents() -> None:
    module = mlp()
    weights = drawn(module, "scale")
    one, other = spectra(Network(module, CPU), [weights, times(4.0, weights)])
    np.testing.assert_allclose(other.frobenius_norm, 4 * one.frobenius_norm, rtol=1e-12)
    np.testing.assert_allclose(other.spectral_norm, 4 * one.spectral_norm, rtol=1e-12)
    assert other.weight_norm == pytest.approx(4 * one.weight_norm, rel=1e-12)
    np.testing.assert_allclose(other.stable_rank, one.stable_rank, rtol=1e-12)
    for first, second in zip(one.tails, other.tails, strict=True):
        assert second.exponent.value == pytest.approx(first.exponent.value, rel=1e-9)
        assert second.values == first.values


def test_permuting_hidden_units_changes_nothing() -> None:
    module = mlp()
    weights = drawn(module, "permute")
    tensors = Network(module, CPU).parameters.unflatten(weights.parameters)
    order = torch.randperm(13, generator=rng.generator("order"))
    tensors["hidden.0.weight"] = tensors["hidden.0.weight"][order]
    tensors["hidden.1.weight"] = tensors["hidden.1.weight"][:, order]
    network = Network(module, CPU)
    permuted = Weights(network.parameters.flatten(tensors), weights.buffers)
    one, other = spectra(network, [weights, permuted])
    np.testing.assert_allclose(numbers(other), numbers(one), rtol=1e-9, equal_nan=True)


def test_a_model_does_not_depend_on_its_stack_nor_fail_with_it() -> None:
    module = resnet()
    network = Network(module, CPU)
    good = [drawn(module, i) for i in range(3)]
    lost = times(float("nan"), good[0])
    found = spectra(network, [good[0], lost, good[1], good[2]])
    for place, weights in ((0, good[0]), (2, good[1]), (3, good[2])):
        alone = spectra(network, [weights])[0]
        np.testing.assert_allclose(numbers(found[place]), numbers(alone), rtol=1e-10)
    missing = numbers(found[1])
    assert np.isnan(missing[np.abs(missing) > 0]).all()  # but for tails of 0 values
    assert np.isnan(found[0].distance_from_start)  # no initial weights given


def test_shares_of_the_models_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    module = mlp()
    network = Network(module, CPU)
    models = [drawn(module, i) for i in range(4)]
    whole = spectra(network, models[:3], models[1:])
    monkeypatch.setattr(module_under_test, "NUMBERS", 2 * network.parameters.size)
    for one, other in zip(whole, spectra(network, models[:3], models[1:]), strict=True):
        np.testing.assert_allclose(numbers(other), numbers(one), rtol=1e-10)


def test_no_models_give_no_spectra() -> None:
    assert spectra(Network(mlp(), CPU), []) == []


def test_a_matrix_of_zeros_has_norm_0_and_no_rank() -> None:
    module = nn.Linear(9, 10)
    (found,) = spectra(Network(module, CPU), [times(0, weights_of(module))])
    assert found.spectral_norm[0] == 0
    assert np.isnan(found.stable_rank[0])
    assert found.tails == (NO_TAIL,)


def test_initial_weights_are_one_per_model() -> None:
    module = mlp()
    weights = drawn(module, "short")
    with pytest.raises(ValueError, match="initial: got 1 models, allowed are 2"):
        spectra(Network(module, CPU), [weights, weights], [weights])

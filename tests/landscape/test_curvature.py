"""Eigenvalues, trace and density of networks are those of their dense Hessians."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from landscape import nets
from phasezoo import rng
from phasezoo.landscape import curvature as module_of_curvature
from phasezoo.landscape.curvature import Curvature, curvature
from phasezoo.landscape.network import Network
from phasezoo.models.flat import Weights
from phasezoo.spec.metrics import Density, Hessian

Make = Callable[[], tuple[Network, nets.Sample]]


def curve(
    network: Network,
    models: list[Weights],
    sample: nets.Sample,
    options: Hessian | None = None,
    names: list[object] | None = None,
) -> list[Curvature]:
    chances = [rng.generator("curve", name) for name in names or range(len(models))]
    return curvature(network, models, *sample, options or nets.options(), chances)


@pytest.mark.parametrize("make", [nets.mlp, nets.smooth, nets.resnet])
def test_eigenvalues_and_trace_are_those_of_the_dense_hessian(make: Make) -> None:
    network, sample = make()
    models = [nets.weights(network, seed) for seed in range(3)]
    found = curve(network, models, sample, nets.options(eigenvalues=4))
    for model, result in zip(models, found, strict=True):
        dense = nets.dense(network, model, sample)
        eigenvalues = torch.linalg.eigvalsh(dense).numpy()[::-1]
        assert result.converged.all()
        np.testing.assert_allclose(result.eigenvalues, eigenvalues[:4], rtol=1e-8)
        assert eigenvalues[-1] < 0
        error = max(4 * result.trace.standard_error, 1e-9)
        assert abs(result.trace.value - dense.trace().item()) < error
        assert result.trace_converged
        assert result.nodes.size == result.weights.size == 0


@pytest.mark.parametrize(("make", "exact"), [(nets.mlp, True), (nets.smooth, False)])
def test_probes_are_drawn_only_where_the_trace_is_not_exact(make: Make, exact: bool) -> None:
    network, sample = make()
    (found,) = curve(network, [nets.weights(network, 0)], sample)
    assert (found.trace_probes == 0) == exact
    assert (found.trace.standard_error == 0) == exact


def test_probes_and_the_exact_trace_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    network, sample = nets.resnet()
    models = [nets.weights(network, seed) for seed in range(3)]
    exact = curve(network, models, sample)
    monkeypatch.setattr(module_of_curvature, "is_linear_between_kinks", lambda *_: False)
    options = nets.options(iterations=9)
    for known, found in zip(exact, curve(network, models, sample, options), strict=True):
        assert found.trace.standard_error > 0
        assert abs(found.trace.value - known.trace.value) < 4 * found.trace.standard_error


def test_a_negative_trace_is_a_result() -> None:
    network, sample = nets.smooth()
    for seed in range(100):
        model = nets.weights(network, seed, 2.0)
        expected = nets.dense(network, model, sample).trace().item()
        if expected < -1:
            break
    (found,) = curve(network, [model], sample, nets.options(trace_error=0.01, probes=2000))
    assert found.trace.value < 0
    assert found.trace_converged
    assert abs(found.trace.value - expected) <= 4 * found.trace.standard_error + 1e-9


@pytest.mark.parametrize("make", [nets.mlp, nets.smooth, nets.resnet])
@pytest.mark.parametrize("asked", [None, Density(nodes=4, probes=2)])
def test_a_model_does_not_depend_on_its_neighbours(make: Make, asked: Density | None) -> None:
    network, sample = make()
    models = [nets.weights(network, seed, 0.3 * (seed + 1)) for seed in range(4)]
    options = nets.options(eigenvalues=2, iterations=30, tolerance=1e-3, density=asked)
    together = curve(network, models, sample, options)
    for index in range(4):
        (alone,) = curve(network, models[index : index + 1], sample, options, [index])
        np.testing.assert_allclose(together[index].eigenvalues, alone.eigenvalues, rtol=1e-9)
        np.testing.assert_allclose(
            together[index].residuals, alone.residuals, rtol=1e-5, atol=1e-12
        )
        assert together[index].trace.value == pytest.approx(alone.trace.value, rel=1e-9)
        assert together[index].trace_probes == alone.trace_probes
        np.testing.assert_allclose(together[index].nodes, alone.nodes, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("make", [nets.mlp, nets.smooth])
def test_a_model_that_is_not_finite_has_nothing_and_spares_the_others(make: Make) -> None:
    network, sample = make()
    models = [nets.weights(network, seed) for seed in range(3)]
    options = nets.options(eigenvalues=2, density=Density(nodes=3, probes=2))
    whole = curve(network, models, sample, options)
    models[0].parameters[5] = torch.nan
    models[1].parameters[:] = 1e200  # finite, but its loss is not
    found = curve(network, models, sample, options)
    for diverged in found[:2]:
        assert np.isnan(diverged.eigenvalues).all()
        assert np.isnan(diverged.residuals).all()
        assert not diverged.converged.any()
        assert np.isnan([diverged.trace.value, diverged.trace.standard_error]).all()
        assert (diverged.trace_converged, diverged.trace_probes) == (False, 0)
        assert diverged.nodes.shape == diverged.weights.shape == (6,)
        assert np.isnan(diverged.weights).all()
    np.testing.assert_allclose(found[2].eigenvalues, whole[2].eigenvalues, rtol=1e-9)
    np.testing.assert_allclose(found[2].nodes, whole[2].nodes, rtol=1e-6, atol=1e-9)


def test_a_dead_network_has_no_curvature_but_that_of_its_last_bias() -> None:
    network, sample = nets.mlp()
    model = nets.weights(network, 0)
    named = network.parameters.unflatten(model.parameters)
    named["hidden.0.bias"].fill_(-1e3)  # no unit ever fires
    (found,) = curve(network, [model], sample, nets.options(eigenvalues=4))
    p = named["head.bias"].softmax(0)
    fisher = np.linalg.eigvalsh((p.diag() - p.outer(p)).numpy())[::-1]
    assert found.converged.all()
    np.testing.assert_allclose(found.eigenvalues, [*fisher, 0.0], atol=1e-12)
    assert found.trace.value == pytest.approx(fisher.sum(), rel=1e-12)


def test_permuting_hidden_units_changes_nothing() -> None:
    network, sample = nets.mlp()
    model = nets.weights(network, 0)
    named = network.parameters.unflatten(model.parameters)
    order = torch.tensor([3, 0, 4, 1, 2])
    moved = {
        "hidden.0.weight": named["hidden.0.weight"][order],
        "hidden.0.bias": named["hidden.0.bias"][order],
        "head.weight": named["head.weight"][:, order],
        "head.bias": named["head.bias"],
    }
    parts = [moved[slot.name].reshape(-1) for slot in network.parameters.slots]
    options = nets.options(eigenvalues=3)
    permuted = Weights(torch.cat(parts), model.buffers)
    first, second = curve(network, [model, permuted], sample, options)
    np.testing.assert_allclose(first.eigenvalues, second.eigenvalues, rtol=1e-8)
    assert first.trace.value == pytest.approx(second.trace.value, rel=1e-12)


@pytest.mark.parametrize("make", [nets.mlp, nets.smooth, nets.resnet])
def test_a_bound_on_memory_changes_nothing(make: Make) -> None:
    network, sample = make()
    model = nets.weights(network, 1)
    wide, narrow = (
        curve(network, [model], sample, nets.options(eigenvalues=2, memory=memory))[0]
        for memory in (1.0, 1e-6)
    )
    np.testing.assert_allclose(narrow.eigenvalues, wide.eigenvalues, rtol=1e-9)
    assert narrow.trace.value == pytest.approx(wide.trace.value, rel=1e-9)


def test_the_density_has_the_mean_eigenvalue() -> None:
    network, sample = nets.resnet()
    model = nets.weights(network, 1)
    asked = nets.options(density=Density(nodes=6, probes=100))
    (found,) = curve(network, [model], sample, asked)
    dense = nets.dense(network, model, sample)
    left = 2 * (dense.square().sum() - dense.diag().square().sum()).item()
    error = np.sqrt(left / 100) / len(dense)
    mean = dense.trace().item() / len(dense)
    assert abs(np.sum(found.nodes * found.weights) - mean) < 4 * error


def test_float32_gives_the_same_within_its_precision() -> None:
    network, sample = nets.mlp()
    model = nets.weights(network, 2)
    (wide,) = curve(network, [model], sample, nets.options(eigenvalues=2))
    single, (inputs, labels) = nets.mlp(torch.float32)
    rounded = Weights(model.parameters.float(), model.buffers)
    options = nets.options(eigenvalues=2, tolerance=1e-5)
    (found,) = curve(single, [rounded], (inputs, labels), options)
    assert found.converged.all()
    np.testing.assert_allclose(found.eigenvalues, wide.eigenvalues, rtol=1e-5)
    assert found.trace.value == pytest.approx(wide.trace.value, rel=1e-5)


def test_a_generator_is_wanted_for_each_model() -> None:
    network, sample = nets.mlp()
    models = [nets.weights(network, seed) for seed in range(2)]
    with pytest.raises(ValueError, match="generators: got 1, allowed is one per model, 2"):
        curve(network, models, sample, names=["one"])


def test_no_more_eigenvalues_than_parameters() -> None:
    network, sample = nets.mlp()
    size = network.parameters.size
    with pytest.raises(ValueError, match=f"eigenvalues: got {size + 1}, allowed .* {size}"):
        curve(
            network,
            [nets.weights(network, 0)],
            sample,
            nets.options(eigenvalues=size + 1, iterations=99),
        )


def test_no_models_have_no_curvature() -> None:
    network, sample = nets.mlp()
    assert curve(network, [], sample) == []

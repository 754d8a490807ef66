"""Models are compared pair by pair, as each pair alone would be."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import oracles
from landscape.pairs import MLP, RESNET, TASK, network, trained
from phasezoo import rng
from phasezoo.landscape import features as features_module
from phasezoo.landscape.features import features_of
from phasezoo.landscape.similarity import (
    Comparison,
    compare,
    disagreement,
    is_collapsed,
    predictions,
)
from phasezoo.models.flat import Weights
from phasezoo.spec.architecture import Mlp, SmallResNet
from phasezoo.spec.metrics import Similarity
from phasezoo.store.schema import family_variables

INPUTS = TASK.train_inputs
PAIRS = [(0, 1), (2, 0), (1, 2)]
FUNCTIONS = ("cka", "cka_standard_error", "cka_debiased", "disagreement")


def compared(
    models: list[Weights], pairs: list[tuple[int, int]], layers: tuple[str, ...] = ()
) -> Comparison:
    how = Similarity(epochs=(0,), samples=53, layers=layers)
    architecture = RESNET if models[0].buffers.numel() else MLP
    return compare(network(architecture), models, pairs, INPUTS, how)


def models_of(architecture: Mlp | SmallResNet = MLP) -> list[Weights]:
    return [trained(seed, architecture) for seed in range(3)]


def cka_of(first: np.ndarray, second: np.ndarray) -> float:
    """By centred Gram matrices [N, N], in numpy."""
    H = np.eye(len(first)) - 1 / len(first)
    K, L = (H @ side @ side.T @ H for side in (first.astype(float), second.astype(float)))
    return float((K * L).sum() / math.sqrt((K * K).sum() * (L * L).sum()))


def debiased_of(first: np.ndarray, second: np.ndarray) -> float:
    """By U-centred Gram matrices (Szekely and Rizzo 2014), whose products are unbiased."""
    n = len(first)
    sides = []
    for side in (first.astype(float), second.astype(float)):
        K = side @ side.T
        np.fill_diagonal(K, 0)
        rows = K.sum(0) / (n - 2)
        K = K - rows[:, None] - rows + K.sum() / ((n - 1) * (n - 2))
        np.fill_diagonal(K, 0)
        sides.append(K)
    K, L = sides
    return float((K * L).sum() / math.sqrt((K * K).sum() * (L * L).sum()))


@pytest.mark.parametrize("architecture", [MLP, RESNET], ids=lambda a: a.name)
def test_every_number_is_that_of_its_pair(architecture: Mlp | SmallResNet) -> None:
    models, layers = models_of(architecture), architecture.layers[:2]
    found = compared(models, PAIRS, layers)
    answers = [features_of(network(architecture), m, INPUTS, layers) for m in models]
    for i, (a, b) in enumerate(PAIRS):
        first, second = answers[a][0].numpy(), answers[b][0].numpy()
        assert found.cka[i] == pytest.approx(cka_of(first, second), rel=1e-9)
        assert found.cka_debiased[i] == pytest.approx(debiased_of(first, second), rel=1e-9)
        differs = first.argmax(1) != second.argmax(1)
        assert found.disagreement[i] == pytest.approx(differs.mean(), abs=1e-12)
        for j, layer in enumerate(layers):
            of_layer = [answers[k][1][layer].numpy() for k in (a, b)]
            assert found.cka_layers[i, j] == pytest.approx(cka_of(*of_layer), rel=1e-9)
            unbiased = debiased_of(*of_layer)
            assert found.cka_layers_debiased[i, j] == pytest.approx(unbiased, rel=1e-6)
        p, q = (models[k].parameters.double().numpy() for k in (a, b))
        assert found.l2_distance[i] == pytest.approx(np.linalg.norm(p - q), rel=1e-12)
        cosine = p @ q / np.linalg.norm(p) / np.linalg.norm(q)
        assert found.cosine_similarity[i] == pytest.approx(cosine, rel=1e-12)
    assert (found.cka_standard_error > 0).all()
    assert np.isnan(found.cka_as_published).all()  # fewer than 128 samples


def test_published_cka_of_layers_is_the_mean_over_batches_of_128() -> None:
    """Of 300 samples two batches are full; the layer of the residual network is wide."""
    models, layers = models_of(RESNET), RESNET.layers[:2]
    inputs = oracles.vector(300 * 323, 5).reshape(300, 1, 17, 19).float()
    how = Similarity(epochs=(0,), samples=300, layers=layers)
    found = compare(network(RESNET), models, PAIRS, inputs, how)
    answers = [features_of(network(RESNET), m, inputs, layers)[1] for m in models]
    assert answers[0][layers[0]].shape[1] > 300
    for i, (a, b) in enumerate(PAIRS):
        for j, layer in enumerate(layers):
            first, second = answers[a][layer].numpy(), answers[b][layer].numpy()
            of_batches = [cka_of(first[s : s + 128], second[s : s + 128]) for s in (0, 128)]
            expected = sum(of_batches) / 2
            assert found.cka_layers_as_published[i, j] == pytest.approx(expected, rel=1e-9)
            assert found.cka_layers_as_published[i, j] > found.cka_layers[i, j]  # more biased


@pytest.mark.parametrize("numbers", [1, 3_000])
def test_the_size_of_blocks_changes_nothing_but_rounding(
    monkeypatch: pytest.MonkeyPatch, numbers: int
) -> None:
    how = Similarity(epochs=(0,), samples=31, layers=RESNET.layers)
    given = network(RESNET), models_of(RESNET), PAIRS, INPUTS[:31], how
    whole = compare(*given)
    monkeypatch.setattr(features_module, "_NUMBERS", numbers)
    parts = compare(*given)
    for name, values in vars(whole).items():
        np.testing.assert_allclose(vars(parts)[name], values, rtol=1e-5, err_msg=name)


def test_the_numbers_are_those_declared() -> None:
    found = compared(models_of(), PAIRS, MLP.layers)
    declared = family_variables("similarity")
    assert set(vars(found)) == set(declared)
    for name, values in vars(found).items():
        assert values.shape == ((3, 2) if "layer" in declared[name].dims else (3,))
        assert values.dtype == np.float64


def test_without_layers_there_is_none_to_compare() -> None:
    assert compared(models_of(), PAIRS).cka_layers.shape == (3, 0)


def test_a_model_is_the_same_as_itself() -> None:
    found = compared(models_of(), [(1, 1)], ("hidden.0",))
    for values in (found.cka, found.cka_debiased, found.cka_layers, found.cosine_similarity):
        np.testing.assert_allclose(values, 1, rtol=1e-12)
    assert found.disagreement[0] == found.l2_distance[0] == 0
    assert found.cka_standard_error[0] == pytest.approx(0, abs=1e-9)


def test_permuted_hidden_units_are_the_same_function_at_another_place() -> None:
    model = trained(0)
    tensors = network().parameters.unflatten(model.parameters)
    order = torch.randperm(11, generator=rng.generator("units"))
    moved = {
        "hidden.0.weight": tensors["hidden.0.weight"][order],
        "hidden.0.bias": tensors["hidden.0.bias"][order],
        "head.weight": tensors["head.weight"][:, order],
        "head.bias": tensors["head.bias"],
    }
    other = Weights(network().parameters.flatten(moved), model.buffers)
    found = compared([model, other, trained(1)], [(0, 1), (0, 2), (1, 2)], ("hidden.0",))
    for values in (found.cka, found.cka_debiased, found.cka_layers[:, 0]):
        assert values[0] == pytest.approx(1, rel=1e-6)
        assert values[1] == pytest.approx(values[2], rel=1e-5)
    assert found.disagreement[0] == 0
    assert found.l2_distance[0] > 0.1


@pytest.mark.parametrize(
    "bad", [pytest.param(0.0, id="collapsed"), pytest.param(math.nan, id="diverged")]
)
def test_a_model_without_answers_is_similar_to_none_and_no_harm_to_others(bad: float) -> None:
    gone = Weights(torch.full_like(trained(0).parameters, bad), trained(0).buffers)
    found = compared([trained(0), gone, trained(1), gone], [(0, 1), (0, 2), (1, 3)], ("hidden.0",))
    whole = compared([trained(0), trained(1)], [(0, 1)], ("hidden.0",))
    for name in FUNCTIONS:
        values = getattr(found, name)
        assert np.isnan(values[[0, 2]]).all()
        assert values[1] == pytest.approx(getattr(whole, name)[0], rel=1e-9)
    assert np.isnan(found.cka_layers[[0, 2]]).all()
    assert found.cka_layers[1, 0] == pytest.approx(whole.cka_layers[0, 0], rel=1e-9)
    assert np.isnan(found.l2_distance[0]) == math.isnan(bad)


def test_few_samples_keep_all_classes() -> None:
    how = Similarity(epochs=(0,), samples=4)
    found = compare(network(), models_of(), PAIRS, INPUTS[:4], how)
    logits = torch.stack([network().function(m)(INPUTS[:4]) for m in models_of()])
    expected = (logits[0].argmax(1) != logits[1].argmax(1)).double().mean()
    assert found.disagreement[0] == float(expected)


def test_disagreement_counts_samples_of_different_classes() -> None:
    logits = torch.tensor([[[1.0, 0], [0, 1], [1, 0]], [[1, 0], [1, 0], [0, 1]]])
    predicted = torch.stack([predictions(of_model) for of_model in logits])
    np.testing.assert_allclose(disagreement(predicted), [[0, 2 / 3], [2 / 3, 0]])


@pytest.mark.parametrize(
    "logits", [torch.zeros(5, 1), torch.full((5, 3), math.nan)], ids=["one output", "diverged"]
)
def test_without_classes_there_is_no_disagreement(logits: torch.Tensor) -> None:
    predicted = torch.stack([predictions(logits), torch.arange(5)])
    np.testing.assert_array_equal(disagreement(predicted).isnan(), [[True, True], [True, False]])


@pytest.mark.parametrize(
    ("features", "collapsed"),
    [
        pytest.param(torch.zeros(37, 7), True, id="zero"),
        pytest.param(torch.full((37, 7), 0.1), True, id="constant"),
        pytest.param(
            torch.full((37, 7), 5.0) + 1e-7 * oracles.vector(37 * 7, 2).reshape(37, 7),
            True,
            id="rounding",
        ),
        pytest.param(5 + 1e-2 * oracles.vector(37 * 7, 2).reshape(37, 7), False, id="spread"),
    ],
)
def test_features_that_are_the_same_for_every_sample_are_collapsed(
    features: torch.Tensor, collapsed: bool
) -> None:
    assert is_collapsed(features) == collapsed

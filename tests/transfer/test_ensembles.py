"""Ensembles answer by the mean of what their models say."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch

import oracles
from phasezoo import rng
from phasezoo.data.objective import Classification, NextToken
from phasezoo.data.task import Task
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import weights_of
from phasezoo.spec.architecture import Architecture, Gpt2
from phasezoo.training.evaluate import evaluate
from phasezoo.transfer.ensembles import AVERAGES, averaged, ensembles
from phasezoo.transfer.outputs import outputs_of
from transfer import nets

BOTH = pytest.mark.parametrize("architecture", [nets.MLP, nets.RESNET], ids=["mlp", "resnet"])
ALL = (0, 1, 2)


def logits(architecture: Architecture) -> tuple[list, np.ndarray, np.ndarray]:
    """Three models, their logits [3, N, K] and the labels."""
    models = [nets.model(architecture, seed) for seed in ALL]
    outputs = outputs_of(nets.network(architecture), models, nets.TASK.test_inputs)
    return models, outputs.double().numpy(), nets.TASK.test_labels.numpy()


def softmax(values: np.ndarray) -> np.ndarray:
    raised = np.exp(values - values.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


@BOTH
def test_an_ensemble_of_one_model_is_that_model(architecture: Architecture) -> None:
    network, weights = nets.network(architecture), nets.model(architecture)
    (found,) = ensembles(network, [weights], nets.TASK, [(0,)])
    alone = evaluate(network.function(weights), nets.TASK.test_inputs, nets.TASK.test_labels)
    assert found.errors.tolist() == [alone.error, alone.error]
    assert found.losses == pytest.approx([alone.loss, alone.loss], rel=1e-9)
    assert (found.single_error, found.best_error, found.gain) == (alone.error, alone.error, 0)
    assert found.diversity == pytest.approx([0, 0], abs=1e-9)
    assert math.isnan(found.disagreement)


@BOTH
def test_errors_and_losses_are_those_of_the_means(architecture: Architecture) -> None:
    models, values, labels = logits(architecture)
    (found,) = ensembles(nets.network(architecture), models, nets.TASK, [ALL])
    means = [softmax(values).mean(axis=0), softmax(values.mean(axis=0))]
    for place, probabilities in enumerate(means):
        error = (probabilities.argmax(axis=1) != labels).mean()
        loss = -np.log(probabilities[np.arange(len(labels)), labels]).mean()
        assert found.errors[place] == pytest.approx(error)
        assert found.losses[place] == pytest.approx(loss)
    errors = [(of_model.argmax(axis=1) != labels).mean() for of_model in values]
    assert (found.single_error, found.best_error) == pytest.approx((np.mean(errors), min(errors)))
    assert found.gain == pytest.approx(np.mean(errors) - found.errors[0])


@BOTH
def test_the_diversity_of_logits_is_a_divergence_that_knows_no_labels(
    architecture: Architecture,
) -> None:
    models, values, labels = logits(architecture)
    (found,) = ensembles(nets.network(architecture), models, nets.TASK, [ALL])
    p, each = softmax(values.mean(axis=0)), softmax(values)
    divergence = (p * (np.log(p) - np.log(each))).sum(axis=-1).mean()
    probabilities = each.mean(axis=0)
    at = np.arange(len(labels)), labels
    jensen = np.mean([np.log(probabilities[at] / one[at]).mean() for one in each])
    assert found.diversity == pytest.approx([jensen, divergence])
    assert (found.diversity > 0).all()


@BOTH
def test_pairs_differ_as_often_as_they_do(architecture: Architecture) -> None:
    models, values, _ = logits(architecture)
    pairs = list(combinations(ALL, 2))
    *found, block = ensembles(nets.network(architecture), models, nets.TASK, [*pairs, ALL])
    answers = values.argmax(axis=-1)
    expected = [(answers[a] != answers[b]).mean() for a, b in pairs]
    assert [pair.disagreement for pair in found] == pytest.approx(expected)
    assert block.disagreement == pytest.approx(np.mean(expected))
    assert max(expected) > 0


@BOTH
def test_neither_order_nor_permuted_units_nor_parts_matter(architecture: Architecture) -> None:
    network, models = nets.network(architecture), logits(architecture)[0]
    (found,) = ensembles(network, models, nets.TASK, [ALL])
    moved = [nets.permuted(network, weights) for weights in models[::-1]]
    (other,) = ensembles(network, moved, nets.TASK, [ALL])
    assert other.losses == pytest.approx(found.losses, rel=1e-4)
    parts = nets.network(architecture, replace(nets.TASK, objective=in_parts(17)))
    (again,) = ensembles(parts, models, nets.TASK, [ALL])
    assert again.losses == pytest.approx(found.losses, rel=1e-6)
    assert again.errors == pytest.approx(found.errors, abs=1.01 / 211)


def in_parts(chunk: int) -> Classification:
    objective = Classification()
    objective.chunk = chunk
    return objective


def test_tokens_are_told_together_at_every_position() -> None:
    gpt = Gpt2(name="gpt-2", depth=1, heads=1, model_dim=4)
    chance = rng.generator("tokens")
    tokens = torch.randint(11, (13, 6), generator=chance)
    part = (tokens[:, :-1], tokens[:, 1:])
    task = Task("text", *part, *part, classes=11, objective=NextToken(5, 11))
    models = []
    for seed in range(2):
        module = build(gpt, (5,), 11)
        initialise(module, rng.generator("gpt", seed))
        models.append(weights_of(module))
    network = nets.network(gpt, task)
    (found,) = ensembles(network, models, task, [(0, 1)])
    outputs = outputs_of(network, models, task.test_inputs).double()
    for place, average in enumerate(AVERAGES):
        wide = averaged(outputs, average)
        assert torch.allclose(wide.exp().sum(dim=-1), torch.ones(13, 5, dtype=torch.float64))
        loss = -wide.gather(2, task.test_labels[..., None]).mean()
        assert found.losses[place] == pytest.approx(loss.item())
        wrong = (wide.argmax(dim=-1) != task.test_labels).double().mean()
        assert found.errors[place] == pytest.approx(wrong.item())


def test_no_groups_have_no_numbers() -> None:
    assert ensembles(nets.network(nets.MLP), [], oracles.blobs(), []) == []

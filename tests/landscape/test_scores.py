"""Scores of many vectors are those of each alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from landscape.pairs import MLP, RESNET, TASK, network, trained, wide
from phasezoo.data.objective import Classification
from phasezoo.data.task import Task
from phasezoo.landscape import scores
from phasezoo.landscape.scores import convolved_scores, looped_scores, scores_of
from phasezoo.models.build import build
from phasezoo.models.flat import Weights, load_weights, weights_of
from phasezoo.spec.architecture import Mlp, SmallResNet
from phasezoo.training.evaluate import evaluate_both


def vectors_of(architecture: Mlp | SmallResNet) -> torch.Tensor:
    return torch.stack([trained(seed, architecture).parameters for seed in range(3)])


@pytest.mark.parametrize("stack", [1, 2**22])
@pytest.mark.parametrize("architecture", [MLP, RESNET], ids=lambda a: a.name)
def test_scores_are_those_of_each_vector(
    architecture: Mlp | SmallResNet, stack: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scores, "STACK_BYTES", stack)
    net = network(architecture)
    found = scores_of(net, TASK, vectors_of(architecture))
    for row, vector in zip(found, vectors_of(architecture), strict=True):
        weights = net.with_statistics(vector, TASK.train_inputs)
        train, test = evaluate_both(net.function(weights), TASK)
        expected = [train.loss, train.error, test.loss, test.error]
        np.testing.assert_allclose(row, expected, rtol=1e-5)
    assert found.shape == (3, 4)


@pytest.mark.parametrize("chunk", [7, 4096])
@pytest.mark.parametrize("evaluated", [11, 256])
def test_narrow_convolutions_together_give_the_scores_of_a_loop(
    chunk: int, evaluated: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Statistics are means over chunks, evaluation is cut as it pleases."""
    monkeypatch.setattr(Classification, "chunk", chunk)
    monkeypatch.setattr(scores, "EVALUATED", evaluated)
    net, task = network(RESNET), wide(TASK)
    vectors = vectors_of(RESNET)
    expected = [by_torch(vector, task) for vector in vectors]
    together = convolved_scores(net, task, vectors.double())
    np.testing.assert_allclose(together, expected, rtol=1e-10)
    np.testing.assert_allclose(looped_scores(net, TASK, vectors), expected, rtol=1e-4)


def by_torch(vector: torch.Tensor, task: Task) -> list[float]:
    """In float64, by batch norms that average their statistics themselves."""
    module = build(RESNET, task.shape, task.classes)
    load_weights(module, Weights(vector, weights_of(module).buffers)).double().train()
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
            layer.momentum = None
    with torch.no_grad():
        chunks = -(-len(task.train_inputs) // Classification.chunk)
        for part in task.train_inputs.tensor_split(chunks):
            module(part)
    train, test = evaluate_both(module.eval(), task)
    return [train.loss, train.error, test.loss, test.error]


def test_scores_are_computed_in_chunks_of_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = scores_of(network(), TASK, vectors_of(MLP))
    monkeypatch.setattr(Classification, "chunk", 7)
    np.testing.assert_allclose(scores_of(network(), TASK, vectors_of(MLP)), whole, rtol=1e-5)


@pytest.mark.parametrize("architecture", [MLP, RESNET], ids=lambda a: a.name)
def test_a_vector_that_is_not_finite_is_wrong_everywhere_and_alone_in_it(
    architecture: Mlp | SmallResNet,
) -> None:
    vectors = vectors_of(architecture)
    before = scores_of(network(architecture), TASK, vectors)
    vectors[1] = torch.inf
    found = scores_of(network(architecture), TASK, vectors)
    np.testing.assert_array_equal(found[[0, 2]], before[[0, 2]])
    assert np.isnan(found[1, [0, 2]]).all()
    assert found[1, [1, 3]].tolist() == [1, 1]


def test_equal_logits_are_of_the_first_class() -> None:
    found = scores_of(network(), TASK, torch.zeros(1, network().parameters.size))
    share = float((TASK.train_labels != 0).double().mean())
    np.testing.assert_allclose(found[0, :2], [np.log(5), share], rtol=1e-12)


def test_tiny_losses_keep_their_digits() -> None:
    """A gap of 30 between logits leaves a loss of 4 exp(-30), far below one in float32."""
    inputs, labels = torch.ones(7, 1, 1, 1), torch.zeros(7).long()
    task = Task("one", inputs, labels, inputs, labels, 5)
    net = network(MLP, task)
    vector = torch.zeros(net.parameters.size)
    vector[-5] = 30  # the bias of class 0 is the first of the last five
    found = scores_of(net, task, vector[None])
    assert found[0, 0] == pytest.approx(np.log1p(4 * np.exp(-30)), rel=1e-2)

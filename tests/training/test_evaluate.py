"""Loss and error are the plain averages of their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

import oracles
from phasezoo.data.objective import Classification
from phasezoo.training import evaluate as module
from phasezoo.training.evaluate import evaluate, evaluate_both, score

LABELS = torch.arange(31) % 5


def logits(seed: int = 0) -> Tensor:
    return oracles.vector(31 * 5, seed).reshape(31, 5) * 3


def test_loss_and_error_are_their_definitions() -> None:
    z = logits().numpy()
    share = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    found = score(logits(), LABELS)
    assert found.loss == pytest.approx(-np.log(share[range(31), LABELS]).mean(), rel=1e-12)
    assert found.error == np.mean(z.argmax(axis=1) != LABELS.numpy())
    assert 0 < found.error < 1


def test_equal_logits_have_the_loss_of_a_guess() -> None:
    assert score(torch.zeros(31, 5), LABELS).loss == pytest.approx(math.log(5), rel=1e-15)


def test_large_logits_do_not_overflow() -> None:
    right = torch.zeros(31, 5)
    right[range(31), LABELS] = 1e4
    assert score(right, LABELS) == module.Score(0.0, 0.0)
    assert score(-right, LABELS).loss == pytest.approx(1e4 + math.log(4), rel=1e-9)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_logits_that_are_not_finite_count_as_wrong(bad: float) -> None:
    right = torch.zeros(31, 5)
    right[range(31), LABELS] = 10.0
    right[3, 3] = bad  # label 3: an infinite logit would win
    right[7, 0] = bad  # label 2
    assert score(right, LABELS).error == 2 / 31


def test_nothing_but_nan_is_all_wrong() -> None:
    found = score(torch.full((31, 5), math.nan), LABELS)
    assert found.error == 1
    assert math.isnan(found.loss)


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, weight = oracles.vector(31 * 7, 1).reshape(31, 7), oracles.vector(35, 2).reshape(7, 5)
    whole = evaluate(lambda x: x @ weight, inputs, LABELS)
    sizes: list[int] = []
    monkeypatch.setattr(Classification, "chunk", 13)

    def watched(chunk: Tensor) -> Tensor:
        sizes.append(len(chunk))
        return chunk @ weight

    found = evaluate(watched, inputs, LABELS)
    assert (found.loss, found.error) == pytest.approx((whole.loss, whole.error), rel=1e-14)
    assert sizes == [13, 13, 5]


def test_both_scores_are_of_the_training_set_and_of_the_test_set() -> None:
    task = oracles.blobs()
    weight = oracles.vector(15 * 3, 3).reshape(15, 3).float()

    def function(inputs: Tensor) -> Tensor:
        return inputs.flatten(1) @ weight

    assert evaluate_both(function, task) == (
        evaluate(function, task.train_inputs, task.train_labels),
        evaluate(function, task.test_inputs, task.test_labels),
    )
    first, second = evaluate_both(function, task)
    assert first != second

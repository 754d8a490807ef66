"""What a loss and an error are, task by task."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

import oracles
from phasezoo.data.objective import CLASSIFICATION, Classification, NextToken

LOGITS = oracles.vector(7 * 5 * 3, 0).reshape(7, 5, 3)  # 7 windows of 5 positions over 3 symbols
TOKENS = torch.arange(35).reshape(7, 5) % 3


def test_the_mean_of_the_losses_is_the_loss() -> None:
    for objective, outputs, targets in (
        (CLASSIFICATION, LOGITS[:, 0], TOKENS[:, 0]),
        (NextToken(5, 3), LOGITS, TOKENS),
    ):
        losses = objective.losses(outputs, targets)
        assert losses.shape == (7,)
        torch.testing.assert_close(objective.loss(outputs, targets), losses.mean())
        torch.testing.assert_close(objective.terms(outputs, targets)[:, 0], losses)


def test_a_window_is_the_mean_over_its_positions() -> None:
    found = NextToken(5, 3).losses(LOGITS, TOKENS)
    for window in range(7):
        each = [-LOGITS[window, i].log_softmax(dim=0)[TOKENS[window, i]].item() for i in range(5)]
        assert found[window].item() == pytest.approx(sum(each) / 5, rel=1e-12)


def test_the_error_of_text_is_the_share_of_wrong_tokens() -> None:
    objective = NextToken(5, 3)
    sure = functional.one_hot(TOKENS, 3).double() * 9
    sure[2, 3] = sure[2, 3].roll(1)
    sure[6, 0, 0] = math.nan  # not a number counts as wrong
    terms = objective.terms(sure, TOKENS)
    wrong, of = terms[:, 1:].sum(dim=0)
    assert objective.error(wrong, of).item() == pytest.approx(2 / 35)


def test_uniform_guesses_cost_the_logarithm_of_the_vocabulary() -> None:
    loss = NextToken(5, 3).loss(torch.zeros(7, 5, 3, dtype=torch.float64), TOKENS)
    assert loss.item() == pytest.approx(math.log(3), rel=1e-14)


def test_positions_are_the_samples_that_models_of_text_are_compared_by() -> None:
    assert NextToken(5, 3).features(LOGITS).shape == (35, 3)
    assert torch.equal(NextToken(5, 3).features(LOGITS)[5 * 2 + 1], LOGITS[2, 1])


def test_chunks_shrink_as_logits_grow() -> None:
    assert NextToken(1024, 50257).chunk == 1
    assert NextToken(64, 100).chunk == 2**22 // 6400


def test_chunks_shrink_as_images_grow() -> None:
    sizes = {(1, 8, 8): 4096, (1, 28, 28): 4096, (3, 32, 32): 1365, (3, 64, 64): 341}
    for shape, chunk in sizes.items():
        assert Classification(math.prod(shape)).chunk == chunk
    assert CLASSIFICATION.chunk == 4096

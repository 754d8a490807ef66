"""The head of a probe is scikit-learn's regression, and its score that of the frozen body."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from region_case import RESNET, THREE, TWO, start_of
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from phasezoo.models.flat import Weights, load_weights
from phasezoo.transfer.regions import logistic, probes
from phasezoo.transfer.regions.probes import probed

PENALTY = 0.01


def features(models: int = 2, samples: int = 61, size: int = 5) -> torch.Tensor:
    chance = torch.Generator().manual_seed(0)
    scales = 10.0 ** torch.arange(-2, size - 2, dtype=torch.float64)
    found = torch.randn(models, samples, size, generator=chance, dtype=torch.float64)
    return (found + 3) * scales


def oracle(train: torch.Tensor, labels: torch.Tensor, classes: int) -> LogisticRegression:
    # of two classes it has one vector of weights, where the softmax has two halves of it
    strength = 1 / (len(labels) * PENALTY) * (2 if classes == 2 else 1)
    how = LogisticRegression(C=strength, tol=1e-10, max_iter=10_000)
    return make_pipeline(StandardScaler(), how).fit(train.numpy(), labels.numpy())


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_a_fit_is_that_of_scikit_learn(classes: int) -> None:
    inputs, labels = features(), torch.arange(61) % classes
    inputs[0, :, 1] += labels * inputs[0, :, 1].std()
    found = logistic.fit(inputs, labels, classes, PENALTY, 500)
    assert found.converged.all()
    told = found.logits(inputs).softmax(dim=2)
    for model in range(2):
        expected = oracle(inputs[model], labels, classes).predict_proba(inputs[model].numpy())
        assert np.abs(told[model].numpy() - expected).max() < 1e-5


def test_neither_scale_nor_place_of_features_matters() -> None:
    inputs, labels = features(), torch.arange(61) % 3
    moved = inputs * torch.tensor([1e-6, 1, 1e6, -1, 7], dtype=torch.float64) - 5
    one, other = (logistic.fit(x, labels, 3, PENALTY, 500).logits(x) for x in (inputs, moved))
    assert torch.allclose(one, other, atol=1e-5)


def test_features_that_do_not_vary_tell_nothing() -> None:
    inputs, labels = features(), torch.arange(61) % 3
    dead = inputs.clone()
    dead[:, :, 2] = 7.0
    without = inputs[:, :, [0, 1, 3, 4]]
    one = logistic.fit(dead, labels, 3, PENALTY, 500)
    two = logistic.fit(without, labels, 3, PENALTY, 500)
    assert one.converged.all()
    assert torch.allclose(one.logits(dead), two.logits(without), atol=1e-5)


def test_one_alone_is_what_it_is_among_others() -> None:
    inputs, labels = features(models=7), torch.arange(61) % 3
    inputs[2] = inputs[2] * labels[:, None]  # one that takes longer
    together = logistic.fit(inputs, labels, 3, PENALTY, 500).logits(inputs)
    alone = torch.cat(
        [logistic.fit(x[None], labels, 3, PENALTY, 500).logits(x[None]) for x in inputs]
    )
    assert torch.allclose(together, alone, atol=1e-5)


def test_what_is_stopped_early_has_not_converged() -> None:
    inputs, labels = features(), torch.arange(61) % 3
    assert not logistic.fit(inputs, labels, 3, 1e-6, 2).converged.any()


@pytest.mark.parametrize("task", [THREE, TWO], ids=["three", "two"])
def test_a_probe_is_a_regression_of_what_the_frozen_body_puts_out(task: object) -> None:
    start = start_of()
    chance = torch.Generator().manual_seed(1)
    away = torch.randn(3, start.layout.size, generator=chance)
    bodies = start.body + 0.1 * away
    found = probed(start, bodies, task, PENALTY)
    assert found.converged.all()
    for body, loss, error in zip(bodies, found.loss, found.error, strict=True):
        skeleton = load_weights(start.skeleton(), Weights(body, torch.empty(0)))
        with torch.no_grad():
            train, test = (skeleton(x).double() for x in (task.train_inputs, task.test_inputs))
        expected = oracle(train, task.train_labels, task.classes)
        told = expected.predict_proba(test.numpy())
        labels = task.test_labels.numpy()
        assert loss == pytest.approx(log_loss(labels, told), abs=1e-5)
        assert error == pytest.approx((told.argmax(axis=1) != labels).mean(), abs=1.5 / 61)


def test_bodies_are_probed_each_by_itself_and_leave_no_trace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = start_of(RESNET)
    bodies = torch.stack([start.body, start.body * 1.5, start.body * 0.5])
    monkeypatch.setattr(probes, "_NUMBERS", 1)
    one = probed(start, bodies, THREE, PENALTY)
    monkeypatch.undo()
    other = probed(start, bodies.flip(0), THREE, PENALTY)
    assert np.allclose(one.loss, other.loss[::-1], atol=1e-6)
    assert len({round(loss, 6) for loss in one.loss}) == 3


def test_a_body_that_is_not_finite_has_no_score_and_spoils_no_other() -> None:
    start = start_of()
    bodies = start.body.repeat(3, 1)
    bodies[1, 4] = torch.nan
    found = probed(start, bodies, THREE, PENALTY)
    assert np.isnan(found.loss).tolist() == np.isnan(found.error).tolist() == [False, True, False]
    assert found.converged.tolist() == [True, False, True]
    assert found.loss[0] == found.loss[2]
    assert probed(start, bodies[:0], THREE, PENALTY).loss.shape == (0,)

"""Errors on other inputs are those that plain torch finds, model by model."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch.nn import functional

import oracles
from phasezoo import rng
from phasezoo.models.build import build
from phasezoo.models.flat import load_weights
from phasezoo.spec.architecture import Architecture
from phasezoo.transfer.corruptions import corrupted
from phasezoo.transfer.robustness import Inputs, log_odds, robustness, told_apart
from transfer import nets

BOTH = pytest.mark.parametrize("architecture", [nets.MLP, nets.RESNET], ids=["mlp", "resnet"])
SEVERITIES = {"gaussian_noise": (0.1, 0.4), "occlusion": (0.2, 0.6), "contrast": (0.5, 0.9)}
SHIFTED = replace(oracles.blobs(train=5, test=97, shape=(1, 5, 5), seed=1), name="shifted")
FOREIGN = replace(oracles.blobs(train=7, test=61, shape=(1, 5, 5), classes=7, seed=2), name="far")


@BOTH
def test_every_error_is_that_of_the_model_alone(architecture: Architecture) -> None:
    models = [nets.model(architecture, seed) for seed in range(3)]
    found = robustness(
        nets.network(architecture), models, Inputs(nets.TASK, SEVERITIES, SHIFTED, FOREIGN)
    )
    for weights, of_model in zip(models, found, strict=True):
        module = load_weights(build(architecture, nets.TASK.shape, 3), weights)

        def error(inputs: torch.Tensor, labels: torch.Tensor, net: object = module) -> float:
            return float((net(inputs).argmax(1) != labels).double().mean())  # type: ignore[operator]

        assert of_model.clean == error(nets.TASK.test_inputs, nets.TASK.test_labels)
        assert of_model.shifted == error(SHIFTED.test_inputs, SHIFTED.test_labels)
        for row, (name, severities) in enumerate(SEVERITIES.items()):
            for column, severity in enumerate(severities):
                inputs = corrupted(nets.TASK, name, severity)
                expected = error(inputs, nets.TASK.test_labels)
                assert of_model.corrupted[row, column] == pytest.approx(expected, abs=1.01 / 211)
        assert of_model.mean_corrupted == pytest.approx(of_model.corrupted.sum() / 6)
        assert of_model.gain == of_model.clean - of_model.mean_corrupted


def test_without_other_sets_there_is_nothing_to_say_of_them() -> None:
    (found,) = robustness(
        nets.network(nets.MLP), [nets.model(nets.MLP)], Inputs(nets.TASK, SEVERITIES, None, None)
    )
    assert math.isnan(found.shifted)
    assert math.isnan(found.foreign)
    assert robustness(nets.network(nets.MLP), [], Inputs(nets.TASK, SEVERITIES, None, None)) == []


def test_severity_0_loses_nothing() -> None:
    task = replace(nets.TASK, black=nets.TASK.test_inputs.amin().view(1))
    inputs = Inputs(task, {"blur": (0.0,), "rotation": (0.0,)}, None, None)
    (found,) = robustness(nets.network(nets.MLP), [nets.model(nets.MLP)], inputs)
    assert found.corrupted.tolist() == [[found.clean], [found.clean]]
    assert found.gain == 0


def test_the_area_is_the_share_of_pairs_that_are_told_right() -> None:
    chance = rng.generator("logits")
    own, others = (torch.randn(n, 5, generator=chance).round(decimals=1) for n in (31, 17))
    others[:3] = own[:3]  # ties
    first, second = (functional.softmax(x.double(), 1).amax(1) for x in (own, others))
    wins = (first[:, None] > second).double() + 0.5 * (first[:, None] == second)
    assert told_apart(own, others) == pytest.approx(wins.mean().item())
    assert told_apart(own, own) == pytest.approx(0.5)
    assert told_apart(own * 50, others / 50) == 1
    assert math.isnan(told_apart(own, others * torch.nan))


def test_answers_whose_probability_rounds_to_1_are_still_told_apart() -> None:
    chance = rng.generator("sure")
    own, others = (torch.rand(n, 7, generator=chance) for n in (13, 11))
    own[:, 2] += 50
    others[:, 3] += 40
    rounded = torch.cat([own, others]).double().softmax(1).amax(1)
    assert (rounded[:13] == 1).all()
    assert told_apart(own, others) == 1
    assert told_apart(others, own) == 0
    assert told_apart(own, own.roll(1, dims=0)) == 0.5


def test_log_odds_are_those_of_the_largest_probability_wherever_it_is_below_1() -> None:
    logits = 3 * torch.randn(101, 5, generator=rng.generator("logits"), dtype=torch.float64)
    largest = logits.softmax(1).amax(1)
    torch.testing.assert_close(log_odds(logits), torch.log(largest / (1 - largest)))
    assert torch.equal(log_odds(logits).argsort(), largest.argsort())
    assert told_apart(logits[:50], logits[50:]) == roc_auc_score(torch.arange(101) < 50, largest)
    two = torch.tensor([[700.0, 0.0], [-3.0, 4.0], [1e4, 1e4]])
    assert log_odds(two).tolist() == [700, 7, 0]


@BOTH
def test_permuting_units_changes_nothing(architecture: Architecture) -> None:
    network, weights = nets.network(architecture), nets.model(architecture)
    moved = nets.permuted(network, weights)
    inputs = Inputs(nets.TASK, SEVERITIES, SHIFTED, FOREIGN)
    (one,), (other,) = (robustness(network, [w], inputs) for w in (weights, moved))
    assert other.clean == one.clean
    assert other.corrupted == pytest.approx(one.corrupted, abs=1.01 / 211)  # rounding
    assert other.foreign == pytest.approx(one.foreign, abs=1e-3)


def test_other_shapes_and_other_classes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"blobs: got \(1, 3, 5\), allowed is \(1, 5, 5\)"):
        Inputs(nets.TASK, SEVERITIES, None, oracles.blobs())
    with pytest.raises(ValueError, match="far: got 7 classes, allowed is 3"):
        Inputs(nets.TASK, SEVERITIES, FOREIGN, None)

"""Models on a task: on which samples, with which temperature, beside which others."""

from __future__ import annotations

import functools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

import oracles
from merging import nets
from phasezoo import rng
from phasezoo.data.objective import NextToken
from phasezoo.data.seen import seen_samples
from phasezoo.merging.baselines import Models, baseline_names, baselines, prior, saw_a_part
from phasezoo.merging.halves import always, calibrated, halves, together
from phasezoo.merging.judgement import judgement, marks
from phasezoo.merging.judging import NUMBERS, OUTPUTS, Judge, stored
from phasezoo.models.flat import Weights
from phasezoo.spec.seen import ByChance, ByLabels
from phasezoo.training.evaluate import evaluate, evaluate_both

BINS = 15
TASK = oracles.blobs(train=101, test=53, classes=7)
JUDGE = Judge(TASK, BINS)
PARTS = ByLabels(by="labels", majority=0.8)


def linear(seed: int):
    """A function of flattened inputs."""
    weight = torch.randn(15, 7, generator=rng.generator("linear", seed))
    return lambda inputs: inputs.flatten(1) @ weight


def number(verdict, output: str, name: str) -> float:
    return float(verdict.numbers[OUTPUTS.index(output), NUMBERS.index(name)])


def test_loss_and_error_are_those_of_the_whole_sets() -> None:
    found = JUDGE(always(linear(0)))
    for output, score in zip(OUTPUTS, evaluate_both(linear(0), TASK), strict=False):
        assert number(found, output, "loss") == pytest.approx(score.loss, rel=1e-7)
        assert number(found, output, "error") == pytest.approx(score.error, rel=1e-12)
    counts = found.curves[:, 0].sum(axis=1)
    assert counts.tolist() == [101, 53, 53]


def test_a_temperature_leaves_errors_alone_and_is_chosen_on_the_other_half() -> None:
    function = lambda inputs: 9 * linear(0)(inputs)  # noqa: E731  far too sure of itself
    found = JUDGE(always(function))
    for name in ("error", "top5_error"):
        assert number(found, "calibrated", name) == number(found, "test", name)
    for name in ("loss", "calibration_error"):
        assert number(found, "calibrated", name) < number(found, "test", name)
    # halves of 27 and 26 samples, of which `calibrated` takes the plain mean
    known = calibrated(function, TASK).loss
    assert number(found, "calibrated", "loss") == pytest.approx(known, rel=0.02)


def test_what_is_chosen_on_a_half_is_judged_on_the_other() -> None:
    first, second = linear(0), linear(1)
    found = JUDGE((first, second))
    on_first, on_second = halves(TASK)
    apart = [marks(f(of.inputs), of.labels) for f, of in ((first, on_second), (second, on_first))]
    wanted = judgement(torch.cat(apart), BINS)
    assert number(found, "test", "calibration_error") == pytest.approx(wanted.calibration_error)
    both = [evaluate_both(of, TASK)[0].loss for of in (first, second)]
    assert number(found, "train", "loss") == pytest.approx(np.mean(both))
    assert found.curves[0, 0].sum() == pytest.approx(101)


def test_several_models_are_the_mean_of_each() -> None:
    each = [JUDGE(always(linear(seed))) for seed in range(3)]
    found = JUDGE(*(always(linear(seed)) for seed in range(3)))
    np.testing.assert_allclose(found.numbers, np.mean([of.numbers for of in each], axis=0))


def test_of_no_model_and_of_what_does_not_classify_nothing_is_said() -> None:
    tokens = Judge(replace(TASK, objective=NextToken(3, 7)), BINS)
    for found in (JUDGE(), tokens(always(linear(0)))):
        assert np.isnan(found.numbers).all()
        assert found.curves.shape == (3, 3, BINS)


def test_what_is_not_finite_has_no_calibration() -> None:
    found = JUDGE(always(lambda inputs: linear(0)(inputs) / 0))
    assert number(found, "test", "error") == 1
    for output in OUTPUTS:
        assert math.isnan(number(found, output, "calibration_error"))


def test_verdicts_are_stored_over_the_lists_they_lie_in() -> None:
    rows = [[JUDGE(always(linear(3 * i + j))) for j in range(3)] for i in range(2)]
    found = stored("judged", rows)
    assert found["judged_loss"].shape == (2, 3, 3)
    assert found["judged_bin_accuracy"].shape == (2, 3, 3, BINS)
    assert found["judged_loss"][1, 2, 0] == rows[1][2].numbers[0, 0]


NET = nets.Network(nets.built(nets.mlp(1, 3)), nets.CPU)


@functools.cache
def models() -> list[Weights]:
    return [nets.weights(nets.mlp(1, 3), seed) for seed in range(4)]


def test_baselines_have_the_names_that_the_axis_has() -> None:
    two = Models(models()[:2], [prior(nets.TASK, PARTS, i, i) for i in range(2)])
    for seen in (None, ByChance(by="chance", share=0.5), PARTS):
        found = baselines(NET, nets.TASK, two, seen)
        assert tuple(found) == baseline_names(True, seen)
    assert baseline_names(False, PARTS) == ("single", "ensemble")


def test_best_is_chosen_on_the_half_that_it_is_not_judged_on() -> None:
    given = Models(models(), ())
    (best,) = baselines(NET, nets.TASK, given, None)["best"]
    for function, on in zip(best, halves(nets.TASK), strict=True):
        scores = [evaluate(NET.function(m), on.inputs, on.labels) for m in models()]
        lowest = min((of.error, of.loss) for of in scores)
        own = evaluate(function, on.inputs, on.labels)
        assert (own.error, own.loss) == lowest


def test_the_ensemble_is_of_all_and_full_models_stand_alone() -> None:
    priors = [prior(nets.TASK, PARTS, i, i) for i in range(2)]
    found = baselines(NET, nets.TASK, Models(models()[:2], priors, models()[2:]), PARTS)
    inputs = nets.TASK.test_inputs
    functions = [NET.function(model) for model in models()]
    torch.testing.assert_close(found["ensemble"][0][0](inputs), together(functions[:2])(inputs))
    for (own, _), function in zip(found["full"], functions[2:], strict=True):
        assert torch.equal(own(inputs), function(inputs))


def test_a_prior_is_told_as_bayes_has_it() -> None:
    """Counts by hand: the logits move by log of the share everywhere over the share it saw."""
    labels = nets.TASK.train_labels
    seen = labels[seen_samples(PARTS, nets.TASK.name, labels, 0, 5)]
    shift = [
        math.log((labels == k).double().mean().item() / (seen == k).double().mean().item())
        for k in range(3)
    ]
    priors = [prior(nets.TASK, PARTS, i, 5) for i in range(2)]
    found = baselines(NET, nets.TASK, Models(models()[:2], priors), PARTS)["with_prior"][0][0]
    inputs = nets.TASK.test_inputs
    moved = found(inputs) - NET.function(models()[0])(inputs)
    wanted = torch.tensor(shift).double().expand_as(moved)
    torch.testing.assert_close(moved, wanted, rtol=1e-4, atol=1e-5)


def test_a_class_that_a_model_never_saw_is_left_as_it_is() -> None:
    only = torch.tensor([0.5, 0.5, 0.0], dtype=torch.float64)
    found = baselines(NET, nets.TASK, Models(models()[:1], [only]), PARTS)["with_prior"][0][0]
    inputs = nets.TASK.test_inputs
    moved = found(inputs) - NET.function(models()[0])(inputs)
    assert moved.isfinite().all()
    assert not moved[:, 2].any()


def test_who_saw_a_part() -> None:
    assert [saw_a_part(PARTS, i) for i in range(3)] == [True, True, False]
    assert [saw_a_part(None, i) for i in range(2)] == [False, False]
    assert saw_a_part(ByChance(by="chance", share=0.5), 7)

"""Variance that phases explain of several folds, each with labels of its own."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest

from phasezoo.phases.doubt import NORMAL, Doubt
from phasezoo.phases.explained import explained, share_of_seeds
from phasezoo.phases.fits import beyond_position, fits
from phasezoo.phases.projections import effects, position_columns

FOLDS, LOADS, TEMPERATURES = 3, 5, 7
CHANCE = np.random.default_rng(23)
PHASE = CHANCE.integers(1, 4, (FOLDS, LOADS, TEMPERATURES))
VALUES = CHANCE.standard_normal(PHASE.shape) + PHASE
ALL = np.ones((LOADS, TEMPERATURES), dtype=bool)


def left(design: np.ndarray, y: np.ndarray) -> tuple[float, int]:
    """Residual sum of squares and degrees of freedom, by a solver of another kind."""
    fit, _, rank, _ = np.linalg.lstsq(design, y, rcond=None)
    return float(np.square(y - design @ fit).sum()), len(y) - int(rank)


def test_variances_are_averaged_over_folds_before_their_share_is_taken() -> None:
    base = position_columns(ALL, "additive")
    variances = np.zeros(2)
    squares = np.zeros(2)
    for values, phase in zip(VALUES, PHASE, strict=True):
        designs = base, np.hstack([base, effects(phase.ravel())])
        parts = [left(design, values.ravel()) for design in designs]
        variances += [of / freedom for of, freedom in parts]
        squares += [np.square(values - values.mean()).sum(), parts[1][0]]
    found = explained(VALUES, PHASE, "additive")
    assert found.beyond == pytest.approx(1 - variances[1] / variances[0])
    assert found.both == pytest.approx(1 - squares[1] / squares[0])


def test_folds_that_are_alike_say_what_one_says() -> None:
    found = explained(VALUES[0], PHASE[0], "additive")
    twice = explained(VALUES[[0, 0]], PHASE[[0, 0]], "additive")
    assert astuple(twice) == pytest.approx(astuple(found), nan_ok=True)


def test_the_order_of_folds_does_not_matter() -> None:
    found = explained(VALUES, PHASE, "additive")
    turned = explained(VALUES[[2, 0, 1]], PHASE[[2, 0, 1]], "additive")
    assert astuple(turned) == pytest.approx(astuple(found), nan_ok=True)


def test_a_fold_that_has_one_label_explains_nothing_but_counts() -> None:
    phase = PHASE.copy()
    phase[1] = 1
    one_less = explained(VALUES[[0, 2]], PHASE[[0, 2]], "additive")
    assert 0 < explained(VALUES, phase, "additive").beyond < one_less.beyond


def test_the_interval_is_that_of_numbers_which_are_independent() -> None:
    """sum of (slope of log(1 - beyond))^2 times the variance of each number; slopes by steps."""
    spread = CHANCE.uniform(0.01, 0.05, ALL.shape)
    found = explained(VALUES, PHASE, "additive", Doubt(spread / FOLDS, spread))
    variance, step = 0.0, 1e-5
    for place in np.ndindex(VALUES.shape):
        ends = []
        for sign in (1, -1):
            moved = VALUES.copy()
            moved[place] += sign * step
            ends.append(np.log(1 - beyond_position(list(fits(moved, PHASE, "additive")))))
        variance += ((ends[0] - ends[1]) / (2 * step)) ** 2 * spread[place[1:]]
    rest, factor = 1 - found.beyond, np.exp(NORMAL * np.sqrt(variance))
    assert (found.low, found.high) == pytest.approx((1 - rest * factor, 1 - rest / factor))


def test_labels_that_seeds_decide_widen_the_interval_by_the_jackknife() -> None:
    """(n - 1) / n of the squares of log(1 - beyond), each label of a cell in all folds."""
    left_out = np.stack([PHASE[0]] * 4)
    left_out[1, 2, 3] = left_out[3, 2, 3] = 1 + PHASE[0, 2, 3] % 3
    left_out[2, 4, 1] = 0
    squares = 0.0
    for cell in ((2, 3), (4, 1)):
        logs = []
        for label in left_out[:, *cell]:
            moved = PHASE.copy()
            moved[:, *cell] = label
            logs.append(np.log(1 - beyond_position(list(fits(VALUES, moved, "additive")))))
        squares += 3 / 4 * np.square(logs - np.mean(logs)).sum()
    spread = np.full(ALL.shape, 0.02)
    widths = []
    for labels in (left_out[:1], left_out):
        found = explained(VALUES, PHASE, "additive", Doubt(spread / 3, spread, labels))
        widths.append(np.log((1 - found.low) / (1 - found.high)) / 2 / NORMAL)
    assert squares > 0
    assert widths[1] ** 2 - widths[0] ** 2 == pytest.approx(squares)


def test_what_seeds_add_to_single_models_is_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phasezoo.phases.explained.elsewhere", lambda *_: np.zeros(0))
    phase = np.broadcast_to(PHASE[0], (5, *ALL.shape))
    truth = PHASE[0] + 0.5 * CHANCE.standard_normal(ALL.shape)
    models = truth + 0.3 * CHANCE.standard_normal((40, *phase.shape))
    spread = models.var(axis=1, ddof=1)
    found = [
        explained(of, phase, "additive", Doubt(by / len(phase), by))
        for of, by in zip(models, spread, strict=True)
    ]
    wanted = explained(truth, PHASE[0], "additive").beyond
    assert np.mean([of.beyond for of in found]) < wanted - 0.05
    assert np.mean([of.true for of in found]) == pytest.approx(wanted, abs=0.02)


def test_seeds_have_their_share_of_the_variance_of_single_models() -> None:
    errors = np.full(ALL.shape, 0.5)
    between = [np.var(of, ddof=1) for of in VALUES]
    assert share_of_seeds(VALUES, errors) == pytest.approx(0.5 / np.mean(between))

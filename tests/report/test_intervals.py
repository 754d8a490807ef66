"""Intervals of pairs against closed forms, and against how often they hold what is true."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.stats import t as student
from scipy.stats import ttest_1samp, ttest_ind

from phasezoo.report.intervals import (
    Mean,
    jackknife_variance,
    left_out_in_turn,
    mean_of,
    mean_of_cells,
    means_over,
)
from phasezoo.store.measurements import pair_coordinates
from phasezoo.vocabulary import compared, seed_pairs

NAN = np.nan
DISJOINT = [(2 * i, 2 * i + 1) for i in range(5)]


def _pairs(values, pairs, **axes):
    dims = (*axes, "pair")
    return xr.DataArray(
        np.asarray(values, dtype=float), dims=dims, coords={**axes, **pair_coordinates(pairs)}
    )


def _additive(effects, pairs):
    return np.array([effects[a] + effects[b] for a, b in pairs])


def test_disjoint_pairs_have_the_interval_of_student():
    values = np.array([0.3, 0.1, 0.45, 0.2, 0.7])
    found = mean_of(_pairs(values, DISJOINT))
    low, high = ttest_1samp(values, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-12)
    assert (found.value, found.values, found.models, found.unit) == (
        pytest.approx(values.mean()),
        5,
        10,
        "pair",
    )


def test_pairs_that_share_seeds_have_the_variance_of_a_sum_of_effects():
    effects = np.array([0.1, 0.9, 0.4, 0.35, 0.0, 0.2, 1.3])
    pairs = seed_pairs(tuple(range(7)))
    found = mean_of(_pairs(_additive(effects, pairs), pairs))
    half = student.ppf(0.975, 6) * 2 * effects.std(ddof=1) / np.sqrt(7)
    assert found.value == pytest.approx(2 * effects.mean())
    assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half))
    assert (found.values, found.models, found.unit) == (21, 7, "seed")


def _coverage(draw, pairs, trials=1500):
    chance, ends = np.random.default_rng(3), np.array(pairs)
    found = [mean_of_cells(draw(chance)[None], ends, "pair") for _ in range(trials)]
    return np.mean([mean.low <= 0 <= mean.high for mean in found])


def test_intervals_of_five_disjoint_pairs_hold_the_truth_as_often_as_they_say():
    covered = _coverage(lambda chance: chance.normal(size=5), DISJOINT)
    assert abs(covered - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 1500)  # four sigma


@pytest.mark.parametrize("noise", [0.0, 2.0])
@pytest.mark.parametrize(
    "pairs", [seed_pairs((0, 1, 2, 3, 4)), compared(((0, 1, 2), (3, 4, 5)), "within")]
)
def test_intervals_of_pairs_that_share_seeds_hold_the_truth_at_least_as_often(noise, pairs):
    def draw(chance):
        return _additive(chance.normal(size=6), pairs) + noise * chance.normal(size=len(pairs))

    assert _coverage(draw, pairs) > 0.95 - 4 * np.sqrt(0.95 * 0.05 / 1500)


def test_taking_shared_pairs_for_independent_would_hold_it_too_rarely():
    pairs = seed_pairs((0, 1, 2, 3, 4))
    posing = [(2 * i, 2 * i + 1) for i in range(len(pairs))]  # what they would have to be
    assert _coverage(lambda chance: _additive(chance.normal(size=5), pairs), posing) < 0.8


def test_of_several_cells_it_is_the_interval_of_welch():
    first, second = np.array([1.0, 3.0, 2.5, 0.4, 2.0]), np.array([10.0, 10.5, 10.2, 9.9, 10.0])
    values = _pairs([first, second], DISJOINT, temperature=[16, 32])
    found = mean_of(values)
    welch = ttest_ind(first, -second, equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((welch.low / 2, welch.high / 2))
    assert (found.values, found.models, found.cells) == (10, 20, 2)


def test_cells_of_one_pair_each_are_left_out_themselves():
    values = np.array([[0.2], [0.5], [0.9]])
    found = mean_of(_pairs(values, [(0, 1)], temperature=[8, 16, 32]))
    low, high = ttest_1samp(values.ravel(), 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((low, high))
    assert (found.unit, found.models) == ("cell", 6)


@pytest.mark.parametrize("pairs", [[(0, 1)], [(0, 1), (0, 2), (0, 3)]])
def test_where_all_hangs_on_one_model_there_is_no_interval(pairs):
    found = mean_of(_pairs(np.linspace(1, 2, len(pairs)), pairs))
    assert np.isfinite(found.value)
    assert np.isnan([found.low, found.high]).all()
    assert found.unit == ""


def test_nothing_measured_gives_nothing():
    found = mean_of(_pairs([NAN] * 5, DISJOINT))
    assert np.isnan([found.value, found.low, found.high]).all()
    assert (found.values, found.models, found.cells) == (0, 0, 0)


def test_equal_values_have_an_interval_of_no_width():
    assert mean_of(_pairs([2.0] * 5, DISJOINT)) == Mean(2.0, 2.0, 2.0, 5, 10, 1, "pair")


def test_missing_pairs_play_no_part_and_their_models_are_not_counted():
    pairs = seed_pairs((0, 1, 2, 3))
    whole = np.arange(6.0)
    without = np.where([3 in pair for pair in pairs], NAN, whole)
    kept = [i for i, pair in enumerate(pairs) if 3 not in pair]
    found = mean_of(_pairs(without, pairs))
    assert found == mean_of(_pairs(whole[kept], [pairs[i] for i in kept]))
    assert found.models == 3


def test_order_of_pairs_and_names_of_seeds_do_not_matter():
    pairs = seed_pairs((0, 1, 2, 3))
    values = np.array([0.1, 0.4, 0.2, 0.9, 0.3, 0.5])
    renamed = [(5 - b, 5 - a) for a, b in reversed(pairs)]
    one, other = mean_of(_pairs(values, pairs)), mean_of(_pairs(values[::-1], renamed))
    assert (one.low, one.high) == pytest.approx((other.low, other.high))


def test_seeds_and_blocks_are_units_of_their_own():
    values = np.array([0.3, 0.1, 0.45])
    for dim in ("seed", "block"):
        found = mean_of(xr.DataArray(values, dims=dim, coords={dim: list("abc")}))
        low, high = ttest_1samp(values, 0).confidence_interval(0.95)
        assert (found.low, found.high) == pytest.approx((low, high))
        assert found.unit == dim


def test_leaving_out_a_seed_takes_all_its_pairs():
    ends = np.array([(0, 1), (0, 2), (1, 2)])
    assert left_out_in_turn(ends).tolist() == [
        [True, True, False],
        [True, False, True],
        [False, True, True],
    ]
    # the means without one seed are the pairs of the other two
    assert jackknife_variance(np.array([1.0, 2.0, 6.0]), left_out_in_turn(ends)) == pytest.approx(
        2 / 3 * (4 + 1 + 9)
    )


def test_means_over_axes_are_those_of_every_place():
    chance = np.random.default_rng(0)
    values = _pairs(
        chance.random((2, 3, 4, 5)), DISJOINT, load=[4, 8], temperature=[1, 2, 3], t=range(4)
    )
    found = means_over(values, ["t", "load"])
    one = mean_of(values.sel(load=8).isel(t=2))
    at = found.sel(load=8).isel(t=2)
    assert (float(at["mean"]), float(at["low"]), int(at["models"])) == (one.value, one.low, 30)
    assert found.attrs["unit"] == "pairs"

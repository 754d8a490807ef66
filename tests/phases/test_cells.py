"""Seeds and pairs become one number per cell, also when seeds are drawn anew."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import xarray as xr

from phasezoo.phases.cells import Replicated, drawn_seeds, replicated

SEEDS = (4, 7, 9)


def pairs_of(values: dict[tuple[int, int], float]) -> xr.Dataset:
    first, second = zip(*values, strict=True)
    return xr.Dataset(
        {"cka": (("load", "temperature", "pair"), [[list(values.values())]])},
        coords={
            "load": [1],
            "temperature": [8],
            "seed": list(SEEDS),
            "first_seed": ("pair", list(first)),
            "second_seed": ("pair", list(second)),
        },
    )


def test_the_mean_and_median_pass_over_what_is_missing() -> None:
    data = xr.DataArray(
        [[[1.0, np.nan, 2.0, 6.0], [np.nan] * 4]], dims=("load", "temperature", "seed")
    )
    metric = replicated(data, data.to_dataset(name="x"))
    np.testing.assert_array_equal(metric.of_cells("mean"), [[3.0, np.nan]])
    np.testing.assert_array_equal(metric.of_cells("median"), [[2.0, np.nan]])


@pytest.mark.parametrize("how", ["mean", "median"])
def test_a_drawn_pair_counts_as_often_as_its_seeds_were_drawn(how: str) -> None:
    values = {(4, 7): 1.0, (4, 9): 10.0, (7, 9): 100.0}
    drawn = np.array([[0, 1, 2], [0, 0, 1], [2, 0, 2], [1, 1, 1]]).reshape(4, 1, 1, 3)
    found = replicated(pairs_of(values)["cka"], pairs_of(values)).of_resampled(drawn, how)
    wanted = []
    for draw in drawn.reshape(4, 3):
        of_draw = [
            values[tuple(sorted((SEEDS[a], SEEDS[b])))] for a, b in combinations(draw, 2) if a != b
        ]
        wanted.append(getattr(np, how)(of_draw) if of_draw else np.nan)
    np.testing.assert_array_equal(found.ravel(), wanted)


def test_the_order_of_the_pairs_does_not_matter() -> None:
    values = {(4, 7): 1.0, (4, 9): 10.0, (7, 9): 100.0}
    turned = dict(reversed(values.items()))
    drawn = np.random.default_rng(0).integers(3, size=(50, 1, 1, 3))
    found = [
        replicated(pairs_of(v)["cka"], pairs_of(v)).of_resampled(drawn, "mean")
        for v in (values, turned)
    ]
    np.testing.assert_allclose(*found)


def test_a_pair_that_shares_no_seed_counts_as_often_as_it_was_drawn() -> None:
    """Drawn whole: pairs 0-1 twice and 2-4 once have the mean of 1, 1 and 100."""
    metric = Replicated(
        np.array([[[1.0, 10.0, 100.0]]]), "pair", np.array([[0, 1], [3, 5], [2, 4]])
    )
    drawn = np.array([0, 1, 0, 1, 2, 4, 6]).reshape(1, 1, 1, 7)
    assert metric.of_resampled(drawn, "mean").item() == pytest.approx(34)
    assert metric.of_resampled(drawn, "median").item() == 1


def test_pairs_that_share_no_seed_are_drawn_whole_and_others_by_seed() -> None:
    pairs = np.array([[0, 1], [3, 4]])
    drawn = drawn_seeds(7, pairs, (1000,), np.random.default_rng(0))
    assert drawn.shape == (1000, 7)
    for first, second in pairs:
        counts = (drawn == first).sum(axis=1)
        np.testing.assert_array_equal(counts, (drawn == second).sum(axis=1))
        assert counts.mean() == pytest.approx(1, abs=0.1)
    assert set(drawn[:, 4:].ravel()) == {2, 5, 6}  # those without a pair, among themselves
    shared = drawn_seeds(3, np.array([[0, 1], [0, 2], [1, 2]]), (1000,), np.random.default_rng(0))
    np.testing.assert_array_equal(shared, np.random.default_rng(0).integers(3, size=(1000, 3)))


def test_the_mean_of_disjoint_pairs_spreads_as_that_of_independent_numbers() -> None:
    """The variance of a bootstrapped mean of n numbers is their variance over n."""
    values = np.array([3.0, 5.0, 11.0, 2.0, 7.0])
    metric = Replicated(values.reshape(1, 1, 5), "pair", np.arange(10).reshape(5, 2))
    drawn = drawn_seeds(10, metric.pairs, (20000, 1, 1), np.random.default_rng(1))
    found = metric.of_resampled(drawn, "mean").ravel()
    assert found.var() == pytest.approx(values.var() / 5, rel=0.05)


def test_pairs_without_seeds_beside_them_are_all_pairs_in_order() -> None:
    data = pairs_of({(4, 7): 1.0, (4, 9): 10.0, (7, 9): 100.0})
    bare = data.drop_vars(["first_seed", "second_seed", "seed"])
    np.testing.assert_array_equal(replicated(bare["cka"], bare).pairs, [[0, 1], [0, 2], [1, 2]])


def test_one_pair_of_each_cell_is_one_number_per_cell() -> None:
    data = pairs_of({(4, 7): 1.0, (4, 9): np.nan, (7, 9): np.nan})
    metric = replicated(data["cka"], data)
    assert metric.kind == "cell"
    drawn = np.array([[1, 1, 1]]).reshape(1, 1, 1, 3)
    assert metric.of_resampled(drawn, "mean").item() == metric.of_cells("mean").item() == 1.0


def test_seeds_drawn_anew_are_those_of_their_cell() -> None:
    values = np.arange(12.0).reshape(2, 2, 3)
    data = xr.DataArray(values, dims=("load", "temperature", "seed"))
    drawn = np.random.default_rng(0).integers(3, size=(30, 2, 2, 3))
    found = replicated(data, data.to_dataset(name="x")).of_resampled(drawn, "mean")
    for (draw, load, heat), value in np.ndenumerate(found):
        assert value == pytest.approx(values[load, heat, drawn[draw, load, heat]].mean())


def test_a_pair_of_seeds_that_are_not_there_is_refused() -> None:
    data = pairs_of({(4, 7): 1.0, (4, 11): 10.0})
    with pytest.raises(ValueError, match=r"pair: got seeds \[11\], allowed are .*\[4, 7, 9\]"):
        replicated(data["cka"], data)


def test_seeds_may_have_any_names() -> None:
    data = pairs_of({(4, 7): 1.0, (4, 9): 10.0, (7, 9): 100.0})
    names = {4: "a", 7: "b", 9: "c"}
    for axis in ("seed", "first_seed", "second_seed"):
        data = data.assign_coords({axis: (data[axis].dims, [names[s] for s in data[axis].values])})
    assert replicated(data["cka"], data).pairs.tolist() == [[0, 1], [0, 2], [1, 2]]

"""Thresholds from data: the best cut, half way, and none where there is one group only."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans

from phasezoo.phases.calibrate import FEWEST, calibrate, two_groups
from phasezoo.phases.scheme import PHASES, REGIMES

CALIBRATED = dict.fromkeys(PHASES.metrics, "calibrated")


def grid(chance: np.random.Generator, cells: int = 40) -> dict[str, np.ndarray]:
    """Cells [load, temperature] of all five phases, well apart; the colder half is dissimilar."""
    loss = np.concatenate([np.full(cells, 0.6), np.full(cells, 0.002)])
    curve = np.where(np.arange(2 * cells) % 2, -0.15, 0.0)
    cka = np.tile([0.55, 0.55, 0.9, 0.9], cells // 2)
    return {
        "train_loss": (loss * np.exp(0.3 * chance.standard_normal(2 * cells)))[:, None],
        "mode_connectivity": (curve + 0.002 * chance.standard_normal(2 * cells))[:, None],
        "cka": (cka + 0.01 * chance.standard_normal(2 * cells))[:, None],
    }


@pytest.mark.parametrize("seed", range(20))
def test_the_cut_is_that_of_two_means(seed: int) -> None:
    chance = np.random.default_rng(seed)
    values = np.concatenate([chance.normal(0, 1, 23), chance.normal(3, 0.5, 9)])
    found = KMeans(2, n_init=50, random_state=0).fit(values[:, None]).cluster_centers_.ravel()
    np.testing.assert_allclose(two_groups(values), sorted(found), rtol=1e-9)


def test_missing_numbers_play_no_part() -> None:
    values = np.array([0.0, 0.1, 0.2, 5.0, 5.1, 5.2])
    with_gaps = np.array([np.nan, 0.0, 5.0, 0.1, np.inf, 5.1, 0.2, 5.2])
    assert two_groups(with_gaps) == two_groups(values) == pytest.approx((0.1, 5.1))


@pytest.mark.parametrize("values", [[1.0] * 20, [0.0, 9.0] * (FEWEST // 2 - 1), []])
def test_few_or_equal_numbers_are_no_two_groups(values: list[float]) -> None:
    assert two_groups(np.array(values)) is None


@pytest.mark.parametrize("seed", range(5))
def test_thresholds_lie_between_the_groups(seed: int) -> None:
    found = calibrate(PHASES, grid(np.random.default_rng(seed)), CALIBRATED)
    assert found["train_loss"].value == pytest.approx(np.sqrt(0.6 * 0.002), rel=0.3)
    assert 0.01 < found["mode_connectivity"].value < 0.03  # of 0.002, what is told apart, and 0.15
    assert found["cka"].value == pytest.approx((0.55 + 0.9) / 2, abs=0.02)
    assert all(chosen.how.startswith("calibrated: between") for chosen in found.values())


def test_each_threshold_is_taken_from_the_cells_that_it_decides_on() -> None:
    cells = grid(np.random.default_rng(0))
    plain = calibrate(PHASES, cells, CALIBRATED)
    cells["mode_connectivity"][:40] *= 7  # cells of high loss do not ask how high a barrier is
    cells["cka"][:40] = 0.1
    cells["cka"][41::2] = 0.2  # nor do those with a barrier ask how similar they are
    assert calibrate(PHASES, cells, CALIBRATED) == plain


def test_a_given_threshold_stays_and_the_others_follow_it() -> None:
    cells = grid(np.random.default_rng(0))
    found = calibrate(PHASES, cells, CALIBRATED | {"train_loss": 10.0})
    assert (found["train_loss"].value, found["train_loss"].how) == (10.0, "given")
    low = calibrate(PHASES, {n: v[40:] for n, v in cells.items()}, CALIBRATED | {"train_loss": 1.0})
    assert found["cka"].value != low["cka"].value  # now the cells of high loss decide as well


def test_one_group_is_not_split() -> None:
    chance = np.random.default_rng(3)
    cells = {
        "train_loss": 0.002 * np.exp(0.2 * chance.standard_normal((60, 1))),
        "mode_connectivity": -0.001 + 0.0003 * chance.standard_normal((60, 1)),
        "cka": 0.97 + 0.003 * chance.standard_normal((60, 1)),
    }
    found = calibrate(PHASES, cells, CALIBRATED)
    assert (found["train_loss"].value, found["mode_connectivity"].value) == (0.05, 0.01)
    assert found["cka"].value == cells["cka"].min()
    assert (PHASES.answer(cells, {n: c.value for n, c in found.items()}) == 5).all()  # all IV-B
    assert all("no two groups" in chosen.how for chosen in found.values())


def test_regimes_are_calibrated_too() -> None:
    chance = np.random.default_rng(1)
    noise = np.exp(0.2 * chance.standard_normal((3, 30, 1)))
    cells = {
        "train_loss": np.concatenate([noise[0] * 1e-1, noise[1] * 1e-5, noise[2] * 1e-5]),
        "test_error": np.concatenate([noise[1] * 0.9, noise[2] * 0.5, noise[0] * 0.01]),
    }
    found = calibrate(REGIMES, cells, dict.fromkeys(REGIMES.metrics, "calibrated"))
    labels = REGIMES.answer(cells, {n: c.value for n, c in found.items()})
    assert labels.ravel().tolist() == [11] * 30 + [12] * 30 + [13] * 30


def test_losses_that_are_all_low_or_all_high_are_not_split() -> None:
    chance = np.random.default_rng(4)
    rest = {"mode_connectivity": np.zeros((40, 1)), "cka": np.full((40, 1), 0.9)}
    for low, high in ((0.001, 0.006), (1.0, 1.4)):  # both fitted; hardly a difference
        loss = np.repeat([low, high], 20) * np.exp(0.05 * chance.standard_normal(40))
        found = calibrate(PHASES, {"train_loss": loss[:, None], **rest}, CALIBRATED)
        assert found["train_loss"].value == 0.05
    loss = np.repeat([1.2, 2.1], 20) * np.exp(0.05 * chance.standard_normal(40))
    found = calibrate(PHASES, {"train_loss": loss[:, None], **rest}, CALIBRATED)
    assert found["train_loss"].value == pytest.approx(np.sqrt(1.2 * 2.1), rel=0.05)
    assert found["train_loss"].how.endswith("both above the default 0.05")  # low beside the rest


@pytest.mark.parametrize(("low", "connected"), [(0.003, 20), (0.03, 20), (0.06, 0)])
def test_high_barriers_are_none_beside_higher_ones_either(low: float, connected: int) -> None:
    chance = np.random.default_rng(6)
    curve = -np.repeat([low, 0.2], 20) * np.exp(0.05 * chance.standard_normal(40))
    cells = {
        "train_loss": np.full((40, 1), 0.001),
        "mode_connectivity": curve[:, None],
        "cka": np.full((40, 1), 0.9),
    }
    found = {n: c.value for n, c in calibrate(PHASES, cells, CALIBRATED).items()}
    assert (PHASES.answer(cells, found) == 3).sum() == 40 - connected


def test_a_question_that_is_put_to_no_cell_says_so() -> None:
    cells = {n: np.full((8, 1), v) for n, v in zip(PHASES.metrics, (2.0, 0.0, 0.9), strict=True)}
    found = calibrate(PHASES, cells, CALIBRATED)["cka"]
    assert (found.value, found.how) == (0.0, "not calibrated: no cell is asked")

"""The share of variance that phases explain beyond load and temperature."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest

from phasezoo.phases.doubt import Doubt
from phasezoo.phases.explained import Explained, explained, share_of_seeds
from phasezoo.phases.projections import POSITIONS

LOADS, TEMPERATURES = 5, 7
ROW = np.arange(LOADS)[:, None]
COLUMN = np.arange(TEMPERATURES)[None, :]
PHASE = 1 + (ROW + COLUMN > 4).astype(np.int8) + (ROW * COLUMN > 11).astype(np.int8)


def chance(*names: int) -> np.random.Generator:
    return np.random.default_rng(names)


def columns(surface: bool) -> np.ndarray:
    """An independent design: indicators without the first of each, products of centred ranks."""
    rows, heats = (a.ravel() for a in np.broadcast_arrays(ROW, COLUMN))
    found = [np.ones(rows.size)]
    found += [(rows == r).astype(float) for r in range(1, LOADS)]
    found += [(heats == t).astype(float) for t in range(1, TEMPERATURES)]
    if surface:
        r, t = rows - 2.0, heats - 3.0
        found += [r * t, r * r * t, r * t * t]
    return np.stack(found, axis=1)


def rss(design: np.ndarray, y: np.ndarray) -> float:
    return float(np.square(y - design @ np.linalg.lstsq(design, y, rcond=None)[0]).sum())


@pytest.mark.parametrize("position", POSITIONS)
def test_shares_are_those_of_nested_least_squares(position: str) -> None:
    values = chance(1).standard_normal((LOADS, TEMPERATURES)) + PHASE
    y, base = values.ravel(), columns(position == "surface")
    groups = np.stack([PHASE.ravel() == p for p in (1, 2, 3)], axis=1).astype(float)
    full = np.hstack([base, groups[:, 1:]])
    total = np.square(y - y.mean()).sum()
    found = explained(values, PHASE, position)
    assert found.position == pytest.approx(1 - rss(base, y) / total)
    assert found.phase == pytest.approx(1 - rss(groups, y) / total)
    assert found.both == pytest.approx(1 - rss(full, y) / total)
    spread = [rss(of, y) / (y.size - of.shape[1]) for of in (base, full)]
    assert found.beyond == pytest.approx(1 - spread[1] / spread[0])


@pytest.mark.parametrize("position", POSITIONS)
def test_cells_that_are_left_out_are_predicted_by_a_fit_without_them(position: str) -> None:
    values = chance(2).standard_normal((LOADS, TEMPERATURES)) + PHASE
    y, base = values.ravel(), columns(position == "surface")
    full = np.hstack([base, np.stack([PHASE.ravel() == p for p in (2, 3)], axis=1)])
    press = [0.0, 0.0]
    for cell in range(y.size):
        others = np.arange(y.size) != cell
        for which, design in enumerate((base, full)):
            fit = np.linalg.lstsq(design[others], y[others], rcond=None)[0]
            press[which] += float(np.square(y[cell] - design[cell] @ fit))
    assert explained(values, PHASE, position).predicted == pytest.approx(1 - press[1] / press[0])


def test_effects_of_phases_alone_are_explained_whole() -> None:
    values = 3.0 * ROW - COLUMN**2 + np.array([0.0, 5.0, -2.0])[PHASE - 1]
    found = explained(values, PHASE, "additive")
    assert (found.both, found.beyond, found.predicted) == pytest.approx((1, 1, 1))
    assert found.position < 1


def test_a_phase_that_is_a_load_explains_nothing_beyond_it() -> None:
    values = chance(3).standard_normal((LOADS, TEMPERATURES))
    of_load = np.broadcast_to(1 + (ROW > 2), values.shape)
    found = explained(values, of_load, "additive")
    assert found.both == pytest.approx(found.position)
    assert np.isnan(found.beyond)


def test_a_smooth_interaction_is_not_the_merit_of_phases() -> None:
    values = 1.0 * ROW * COLUMN + 0.01 * chance(4).standard_normal((LOADS, TEMPERATURES))
    assert explained(values, PHASE, "additive").beyond > 0.3
    assert explained(values, PHASE, "surface").position > 0.999


def test_labels_without_meaning_explain_nothing_on_average() -> None:
    found = []
    for draw in range(200):
        values = chance(5, draw).standard_normal((4, 5))
        labels = chance(6, draw).integers(1, 4, size=values.shape)
        found.append(explained(values, labels, "additive").beyond)
    assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(len(found))


def test_names_of_phases_do_not_matter() -> None:
    values = chance(7).standard_normal((LOADS, TEMPERATURES)) + PHASE
    other = np.array([0, 4, 1, 3])[PHASE]
    for position in POSITIONS:
        found = explained(values, PHASE, position), explained(values, other, position)
        assert astuple(found[0]) == pytest.approx(astuple(found[1]), nan_ok=True)


def test_cells_without_a_number_or_a_label_take_no_part() -> None:
    values, phase = chance(8).standard_normal((LOADS, TEMPERATURES)), PHASE.copy()
    values[0, 0], phase[4, 6] = np.nan, 0
    changed = values.copy()
    changed[4, 6] = 1e6
    found = explained(values, phase, "additive"), explained(changed, phase, "additive")
    assert astuple(found[0])[:5] == pytest.approx(astuple(found[1])[:5])


def test_one_phase_alone_explains_nothing() -> None:
    values = chance(9).standard_normal((LOADS, TEMPERATURES))
    assert np.isnan(astuple(explained(values, np.ones_like(PHASE), "additive"))).all()


def test_maps_in_other_places_rarely_explain_what_the_true_one_does() -> None:
    noise = 0.3 * chance(10).standard_normal((LOADS, TEMPERATURES))
    assert explained(PHASE + noise, PHASE, "additive").chance < 0.05


def test_of_noise_all_maps_explain_alike() -> None:
    few = PHASE[:3, :4]
    noise = [chance(13, draw).standard_normal(few.shape) for draw in range(60)]
    found = [explained(of, few, "additive").chance for of in noise]
    assert abs(np.mean(found) - 0.5) < 4 * np.sqrt(1 / 12 / len(found))


@pytest.mark.usefixtures("nowhere_else")
def test_intervals_hold_what_is_found_on_average_over_the_chance_of_seeds() -> None:
    """95 % of the time, within three standard errors."""
    found = repeated(noise=0.4, repetitions=300)
    mean = np.mean([of.beyond for of in found])
    inside = np.mean([of.low <= mean <= of.high for of in found])
    assert abs(inside - 0.95) <= 3 * np.sqrt(0.05 * 0.95 / len(found))


@pytest.mark.usefixtures("nowhere_else")
def test_chance_of_seeds_is_taken_out_of_what_is_left() -> None:
    truth = explained(SMOOTH, PHASE, "additive").beyond
    found = repeated(noise=0.25, repetitions=60)
    assert np.median([of.beyond for of in found]) < truth - 0.05
    assert np.median([of.true for of in found]) == pytest.approx(truth, abs=0.03)


@pytest.mark.parametrize(
    ("effect", "told"),
    [
        (0.5, {0.1: True, 0.49: True, 0.51: False}),  # both variances stay positive
        (5.0, {0.1: True, 0.49: False}),  # phases would explain more than there is
    ],
)
def test_what_is_left_without_chance_is_told_where_half_of_it_is_no_chance(effect, told) -> None:
    values = effect * PHASE + chance(15).standard_normal(PHASE.shape)
    y, base = values.ravel(), columns(surface=False)
    of_position = rss(base, y) / (y.size - base.shape[1])
    rest = 1 - explained(values, PHASE, "additive").beyond
    assert (rest > 0.51) == (effect < 1)
    for share, known in told.items():
        errors = np.full(PHASE.shape, share * of_position)
        found = explained(values, PHASE, "additive", Doubt(errors)).true
        wanted = 1 - (rest - share) / (1 - share)
        assert found == pytest.approx(wanted if known else np.nan, nan_ok=True)


def test_an_error_that_is_not_known_is_as_large_as_the_others() -> None:
    errors = chance(14).uniform(0.01, 0.03, PHASE.shape)
    known = errors.copy()
    known[2, 3] = np.delete(errors.ravel(), 2 * TEMPERATURES + 3).mean()
    errors[2, 3] = np.nan
    found = [explained(SMOOTH, PHASE, "additive", Doubt(of)) for of in (errors, known)]
    assert astuple(found[0]) == pytest.approx(astuple(found[1]))


SMOOTH = PHASE + 0.4 * np.sin(3 * ROW * COLUMN)


@pytest.fixture
def nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Displaced maps, which take the time, are not asked."""
    monkeypatch.setattr("phasezoo.phases.explained.elsewhere", lambda *_: np.zeros(0))


def repeated(noise: float, repetitions: int, seeds: int = 5) -> list[Explained]:
    found = []
    for draw in range(repetitions):
        models = noise * chance(11, draw).standard_normal((*PHASE.shape, seeds))
        models += SMOOTH[..., None]
        cells, errors = models.mean(axis=-1), models.var(axis=-1, ddof=1) / seeds
        found.append(explained(cells, PHASE, "additive", Doubt(errors)))
    return found


def test_share_of_seeds_is_that_of_the_analysis_of_variance() -> None:
    models = chance(12).standard_normal((LOADS, TEMPERATURES, 3)) + 2 * PHASE[..., None]
    cells, errors = models.mean(axis=-1), models.var(axis=-1, ddof=1) / 3
    within = np.mean([np.var(cell, ddof=1) for cell in models.reshape(-1, 3)])
    assert share_of_seeds(cells, errors) == pytest.approx(within / 3 / np.var(cells, ddof=1))
    assert np.isnan(share_of_seeds(cells, np.full_like(cells, np.nan)))

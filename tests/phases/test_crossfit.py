"""Labels by other seeds than those of the number that they explain."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from phasezoo.phases.beyond import beyond
from phasezoo.phases.classify import classify_phases
from phasezoo.phases.crossfit import OtherSeeds
from phasezoo.phases.doubt import Doubt
from phasezoo.phases.explained import Explained, explained
from phasezoo.spec.phases import PhaseCriteria, RegimeCriteria
from phasezoo.store.variables.explained import QUANTITY
from report.mock import CRITERIA, mock

GRID = {"widths": (4, 8, 16, 32, 64), "batch_sizes": (8, 32, 128), "epochs": (0, 9)}
CALIBRATED = PhaseCriteria(resamples=20)
REGIMES = RegimeCriteria(train_loss=1.0, test_error=9.0, resamples=20)
DIMS = ("load", "temperature", "seed")


def metrics_of(*blocks: tuple[int, ...]) -> xr.Dataset:
    return mock(**GRID, blocks=blocks).metrics.sel(epoch=9)


def seeds(*members: tuple[int, ...]) -> list[frozenset[int]]:
    return [frozenset(of) for of in members]


@pytest.fixture(scope="module")
def metrics() -> xr.Dataset:
    return metrics_of((0, 1, 2, 3, 4))


def test_without_no_seed_labels_are_those_of_the_zoo(metrics: xr.Dataset) -> None:
    (found,) = OtherSeeds(metrics, CALIBRATED).labels(seeds(()))
    expected = classify_phases(metrics, CALIBRATED)["phase"]
    assert (found == expected.transpose("load", "temperature")).all()


def test_without_a_seed_labels_are_those_of_a_zoo_that_never_had_it(metrics: xr.Dataset) -> None:
    (found,) = OtherSeeds(metrics, CALIBRATED).labels(seeds((3,)))
    pairs = [label for label in metrics["pair"].values if "3" not in label]
    never = metrics.sel(seed=[0, 1, 2, 4], pair=pairs)
    expected = classify_phases(never, CALIBRATED)["phase"]
    assert (found == expected.transpose("load", "temperature")).all()


def test_a_seed_has_no_part_in_the_labels_without_it() -> None:
    metrics = metrics_of((0, 1, 2))
    other = metrics.copy(deep=True)
    of_pairs = (other["first_seed"] == 1) | (other["second_seed"] == 1)
    for name in ("train_loss", "mode_connectivity", "cka"):
        own = of_pairs if "pair" in other[name].dims else other["seed"] == 1
        other[name] = other[name].where(~own, 0.7)
    asked = seeds((1,), (0,))
    found, changed = (OtherSeeds(of, CRITERIA).labels(asked) for of in (metrics, other))
    assert (found[0] == changed[0]).all()
    assert (found[1] != changed[1]).any()


@pytest.mark.parametrize(
    ("blocks", "members", "told"),
    [
        (((0, 1, 2),), [(0,), (1,), (2,)], True),
        (((0, 1, 2),), [(0, 1), (0, 2), (1, 2)], False),  # one seed is left, and no pair
        (((0, 1),), [(0,), (1,)], False),
        (((0, 1, 2, 3, 4),), [(0, 1), (3, 4)], True),
        (((0, 1, 2),), [(0, 1, 2)], False),
        (((0, 1), (2, 3)), [(0, 1), (2, 3)], True),
    ],
)
def test_labels_are_there_where_two_seeds_are_left(blocks, members, told) -> None:
    found = OtherSeeds(metrics_of(*blocks), CRITERIA).labels(seeds(*members))
    assert (found is not None) == told
    assert not told or len(found) == len(members)


def test_a_metric_that_is_missing_leaves_all_as_it_was(metrics: xr.Dataset) -> None:
    without = metrics.drop_vars("cka")
    assert OtherSeeds(without, CALIBRATED).labels(seeds((0,))) is None
    assert OtherSeeds(xr.Dataset(), CALIBRATED).labels(seeds((0,))) is None


@pytest.mark.parametrize(("blocks", "of_pairs"), [(((0, 1, 2),), 0), (((0, 1, 2, 3),), 1)])
def test_which_quantities_are_judged_by_other_seeds_is_stored(blocks, of_pairs) -> None:
    results = mock(**GRID, blocks=blocks)
    groups = {name: getattr(results, name) for name in ("metrics", "merging")}
    told = beyond(groups, results.phases["phase"], CRITERIA)
    flags = told["cross_fitted"].to_series()
    assert flags["test_error"] == 1
    assert flags["barrier_naive"] == of_pairs
    assert flags["seed_average_gain_naive"] == 0  # one block, and none beside it
    assert np.isnan(told["phase_beyond_true"].sel({QUANTITY: "barrier_naive"})).all()


def test_labels_by_the_same_seeds_explain_what_they_do_not_know() -> None:
    """Training loss and test error of a model share chance, and no cell has an effect of its own.

    At 5 %, labels by the same seeds are told in more than 30 % of draws; by others, in 12 % at
    most, which of 40 is three standard errors above.
    """
    chance = np.random.default_rng(11)
    draws = [_draw(chance) for _ in range(40)]
    found = np.array([_chances(metrics) for metrics in draws])
    same, others = (found <= 0.05).mean(axis=0)
    assert same > 0.3
    assert others <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / len(draws))


def test_intervals_hold_the_mean_where_labels_hang_on_seeds_too(monkeypatch) -> None:
    """95 % of the time, within three standard errors of 80 draws."""
    monkeypatch.setattr("phasezoo.phases.explained.elsewhere", lambda *_: np.zeros(0))
    chance = np.random.default_rng(12)
    told = [_cross_fitted(_draw(chance, of_phase=0.1, noise=0.2)) for _ in range(80)]
    mean = np.mean([of.beyond for of in told])
    inside = np.mean([of.low <= mean <= of.high for of in told])
    assert mean > 0.05
    assert inside >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / len(told))


def _cross_fitted(metrics: xr.Dataset) -> Explained:
    labels = OtherSeeds(metrics, REGIMES).of_each_left_out()
    models = np.moveaxis(metrics["test_error"].values, -1, 0)
    spread = models.var(axis=0, ddof=1)
    return explained(models, labels, "additive", Doubt(spread / 3, spread, labels))


def _draw(chance: np.random.Generator, of_phase: float = 0.0, noise: float = 0.6) -> xr.Dataset:
    """A zoo whose training loss and test error are effects of load, of temperature, and chance.

    `of_phase` is added to the error where the loss is high but for chance.
    """
    load, temperature = np.indices((4, 5))
    level = (0.35 * (load - 1.5) + 0.15 * (temperature - 2))[..., None]
    of_loss, own = chance.standard_normal((2, 4, 5, 3))
    loss = np.exp(level + noise * of_loss)
    error = 0.5 + 0.1 * level + 0.06 * (0.95 * of_loss + 0.3 * own) + of_phase * (level > 0)
    axes = {"load": [1, 2, 3, 4], "temperature": [8, 16, 32, 64, 128], "seed": [0, 1, 2]}
    return xr.Dataset({"train_loss": (DIMS, loss), "test_error": (DIMS, error)}, axes)


def _chances(metrics: xr.Dataset) -> tuple[float, float]:
    """With labels by the same seeds, and by others."""
    (same,) = OtherSeeds(metrics, REGIMES).labels(seeds(()))
    others = OtherSeeds(metrics, REGIMES).of_each_left_out()
    models = np.moveaxis(metrics["test_error"].values, -1, 0)
    mean = explained(models.mean(axis=0), same, "additive").chance
    return mean, explained(models, others, "additive").chance

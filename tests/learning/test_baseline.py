"""The baselines find what is in the weights, and nothing where there is nothing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import xarray as xr
from sklearn import metrics as sklearn_metrics

from phasezoo.learning import learners
from phasezoo.learning.baseline import baseline
from phasezoo.learning.scores import r2
from phasezoo.learning.sides import place, units
from phasezoo.spec.learning import Learning
from phasezoo.store import schema
from phasezoo.store.variables.learning import LEARNING
from phasezoo.vocabulary import Phase

OF_MODEL = ("load", "temperature", "seed", "epoch")
SHAPE = (5, 7, 3, 1)
OPTIONS = Learning(epochs=(3,), folds=3, resamples=100)
CELLS = Learning(epochs=(3,), left_out=("cell",), folds=3, resamples=100)


@pytest.fixture(scope="module", autouse=True)
def few_trees() -> Iterator[None]:
    """What is tested does not hang on how many there are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(learners.TREES, "max_iter", 25)
        yield


def zoo(planted: bool) -> tuple[xr.Dataset, xr.Dataset]:
    """Statistics of noise; errors and phases follow from one of them, or from nothing."""
    chance = np.random.default_rng(3)
    statistics = chance.normal(size=(*SHAPE, 2, 3))
    statistics[..., 1, 2] = np.nan  # a vector has none of matrices
    source = statistics[..., 0, 1] if planted else chance.normal(size=SHAPE)
    source = source.mean(2, keepdims=True) + 0 * source if planted else source
    statistics[..., 0, 1] = source if planted else statistics[..., 0, 1]
    grid = {
        "load": ("load", 2 ** np.arange(5), {"hyperparameter": "width"}),
        "temperature": ("temperature", 8 * 2 ** np.arange(7), {"hyperparameter": "batch_size"}),
        "seed": np.arange(3, dtype=np.int32),
        "epoch": np.array([3], dtype=np.int32),
    }
    error = 0.3 + 0.1 * source
    metrics = xr.Dataset(
        {
            "test_error": (OF_MODEL, error.astype("f4")),
            "train_error": (OF_MODEL, (0.5 * error).astype("f4")),
            "weight_statistics": ((*OF_MODEL, "tensor", "statistic"), statistics.astype("f4")),
        },
        coords=grid,
    )
    label = np.where(source[:, :, 0] > 0, Phase.I, Phase.IV_B).astype("i1")
    phases = xr.Dataset({"phase": (("load", "temperature", "epoch"), label)}, coords=grid)
    return metrics, phases


@pytest.fixture(scope="module")
def planted() -> xr.Dataset:
    return baseline("zoo", *zoo(True), OPTIONS)


def test_what_is_in_the_weights_is_found(planted: xr.Dataset) -> None:
    of = planted.sel(inputs="weights")
    assert (of["test_error_r2"] > 0.85).all()
    assert (of["generalisation_gap_r2"] > 0.85).all()
    assert (of["phase_balanced_accuracy"] > 0.8).all()
    assert (planted.sel(inputs="both", learner="boosting")["test_error_r2"] > 0.85).all()
    elsewhere = planted.sel(inputs=["nothing", "position"], left_out="cell")
    assert (elsewhere["test_error_r2"] < 0.2).all()


@pytest.mark.parametrize("left_out", ["model", "cell"])
def test_intervals_are_over_cells_whatever_was_left_out(planted: xr.Dataset, left_out: str) -> None:
    """The models of a cell are told alike, so over models intervals would be too narrow."""
    metrics, _ = zoo(True)
    of = planted.sel(inputs="weights", learner="ridge", left_out=left_out)
    true, told = (
        values.values.ravel().astype("f8")
        for values in (metrics["test_error"], of["predicted_test_error"])
    )
    cells, models = (
        r2(true, told, units(by, "zoo", metrics), OPTIONS.resamples) for by in ("cell", "model")
    )
    stored = (of["test_error_r2_low"].item(), of["test_error_r2_high"].item())
    assert stored == pytest.approx((cells.low, cells.high), rel=1e-4)
    assert models.high - models.low < 0.9 * (cells.high - cells.low)


def test_in_noise_there_is_nothing() -> None:
    found = baseline("zoo", *zoo(False), OPTIONS)
    for name in ("test_error_r2", "generalisation_gap_r2"):
        assert (found[name] < 0.1).all()
        assert (found[name].sel(learner="ridge") > -0.2).all()
    assert (
        abs(found["phase_balanced_accuracy"].sel(left_out="cell") - 0.5) < 0.25
    ).all()  # of 35 cells: three standard errors


def test_nothing_known_is_the_mean_and_the_most_frequent_of_the_others(planted: xr.Dataset) -> None:
    metrics, _ = zoo(True)
    error = metrics["test_error"].values.ravel()
    folds = np.array([int(3 * place(name)) for name in units("cell", "zoo", metrics)])
    expected = np.array([error[folds != fold].mean() for fold in folds])
    of = planted.sel(inputs="nothing", left_out="cell")
    for learner in ("ridge", "boosting"):
        told = of["predicted_test_error"].sel(learner=learner).values.ravel()
        np.testing.assert_allclose(told, expected, rtol=1e-5)
    assert set(np.unique(of["predicted_phase"])) <= {int(Phase.I), int(Phase.IV_B)}


def test_scores_are_those_of_the_predictions(planted: xr.Dataset) -> None:
    metrics, phases = zoo(True)
    phase = phases["phase"].expand_dims(seed=metrics["seed"]).transpose(*OF_MODEL)
    for at in (
        {"left_out": "model", "learner": "ridge"},
        {"left_out": "cell", "learner": "boosting"},
    ):
        of = planted.sel(inputs="weights", **at)
        r2 = sklearn_metrics.r2_score(
            metrics["test_error"].values.ravel(), of["predicted_test_error"].values.ravel()
        )
        assert of["test_error_r2"].item() == pytest.approx(r2, rel=1e-4)
        right = (phase.values == of["predicted_phase"].values).mean()
        assert of["phase_accuracy"].item() == pytest.approx(right, rel=1e-6)
        assert of["test_error_r2_low"] <= of["test_error_r2"] <= of["test_error_r2_high"]


def test_a_prediction_does_not_hang_on_what_it_predicts(planted: xr.Dataset) -> None:
    """A model whose truth is changed is told as before; the others of its fold too."""
    metrics, phases = zoo(True)
    before = planted.sel(left_out=["cell"])
    metrics["test_error"][2, 3] += 5
    after = baseline("zoo", metrics, phases, CELLS)
    names = units("cell", "zoo", metrics)
    folds = np.array([int(3 * place(name)) for name in names]).reshape(SHAPE)
    same = (before["predicted_test_error"] == after["predicted_test_error"]).sel(inputs="weights")
    assert same.values[folds == folds[2, 3, 0, 0]].all()
    assert not same.values[folds != folds[2, 3, 0, 0]].all()


def test_models_that_diverged_or_have_no_target_are_not_told() -> None:
    metrics, phases = zoo(True)
    metrics["weight_statistics"][1, 1, 1] = np.nan
    metrics["test_error"][0, 0, 0] = np.nan
    phases["phase"][0, 1] = Phase.MISSING
    found = baseline("zoo", metrics, phases, CELLS)
    missing = found["predicted_test_error"].isnull().all(["left_out", "inputs", "learner"]).values
    assert missing.sum() == 2
    assert missing[1, 1, 1, 0]
    assert missing[0, 0, 0, 0]
    unlabelled = (found["predicted_phase"] == Phase.MISSING).all(["left_out", "inputs", "learner"])
    assert unlabelled.values.sum() == 4
    schema.check(found, {v.name: v for v in LEARNING})


def test_a_zoo_that_grows_moves_no_model_to_another_fold(planted: xr.Dataset) -> None:
    metrics, _ = zoo(True)
    fewer = metrics.isel(load=slice(3), seed=slice(2))
    folds = [
        np.array([int(3 * place(n)) for n in units("model", "zoo", of)]).reshape(
            [of.sizes[a] for a in OF_MODEL]
        )
        for of in (metrics, fewer)
    ]
    assert (folds[0][:3, :, :2] == folds[1]).all()

"""Every row of the phase table labels its cells, whatever the grid looks like."""

from __future__ import annotations

import json
import math
from itertools import product

import numpy as np
import pytest
import xarray as xr

from phasezoo.phases.classify import classify_phases
from phasezoo.spec.phases import PhaseCriteria, RegimeCriteria
from phasezoo.store.schema import described
from phasezoo.vocabulary import Phase, Status

CRITERIA = PhaseCriteria(seeds="mean", train_loss=0.1, mode_connectivity=0.02, cka=0.6)
LOW, HIGH = 0.01, 0.9  # training loss
BARRIER, CONNECTED, WORSE_ENDS = -0.3, 0.01, 0.2
SIMILAR, OTHER = 0.8, 0.3
NAN = math.nan

TABLE = [  # training loss, mode connectivity, CKA, phase
    (HIGH, BARRIER, OTHER, Phase.I),
    (HIGH, BARRIER, SIMILAR, Phase.I),
    (HIGH, WORSE_ENDS, OTHER, Phase.II),
    (HIGH, WORSE_ENDS, SIMILAR, Phase.II),
    # connected is what has no barrier
    (HIGH, CONNECTED, OTHER, Phase.II),
    (HIGH, -CONNECTED, SIMILAR, Phase.II),
    (LOW, WORSE_ENDS, OTHER, Phase.IV_A),
    (LOW, WORSE_ENDS, SIMILAR, Phase.IV_B),
    (LOW, BARRIER, OTHER, Phase.III),
    (LOW, BARRIER, SIMILAR, Phase.III),
    (LOW, CONNECTED, OTHER, Phase.IV_A),
    (LOW, -CONNECTED, OTHER, Phase.IV_A),
    (LOW, CONNECTED, SIMILAR, Phase.IV_B),
    (LOW, -CONNECTED, SIMILAR, Phase.IV_B),
    # the thresholds themselves
    (0.1, WORSE_ENDS, SIMILAR, Phase.II),
    (LOW, -0.02, SIMILAR, Phase.IV_B),
    (LOW, 0.02, SIMILAR, Phase.IV_B),
    (LOW, CONNECTED, 0.6, Phase.IV_B),
    # a number that decides is missing
    (NAN, BARRIER, SIMILAR, Phase.MISSING),
    (NAN, WORSE_ENDS, SIMILAR, Phase.MISSING),
    (LOW, NAN, SIMILAR, Phase.MISSING),
    (HIGH, NAN, SIMILAR, Phase.MISSING),
    (LOW, CONNECTED, NAN, Phase.MISSING),
    # one is missing that does not decide
    (HIGH, BARRIER, NAN, Phase.I),
    (HIGH, WORSE_ENDS, NAN, Phase.II),
    (LOW, WORSE_ENDS, NAN, Phase.MISSING),
    (LOW, BARRIER, NAN, Phase.III),
]


def cells(*rows: tuple[float, ...]) -> xr.Dataset:
    """A cell-level table: the rows as loads, one temperature."""
    loss, curve, cka = (np.array(column)[:, None] for column in zip(*rows, strict=True))
    dims = ("load", "temperature")
    return xr.Dataset(
        {"train_loss": (dims, loss), "mode_connectivity": (dims, curve), "cka": (dims, cka)},
        coords={"load": np.arange(1, len(rows) + 1), "temperature": [128]},
    )


def replicated(seeds: int = 3, epochs: int = 2) -> xr.Dataset:
    """Models and pairs of a grid of 2 loads, 5 temperatures, every cell in IV-B."""
    pairs = seeds * (seeds - 1) // 2
    sizes = {"load": 2, "temperature": 5, "seed": seeds, "pair": pairs, "epoch": epochs}

    def full(value: float, replicate: str) -> xr.DataArray:
        dims = ("load", "temperature", replicate, "epoch")
        return xr.DataArray(np.full([sizes[d] for d in dims], value), dims=dims)

    return xr.Dataset(
        {
            "train_loss": full(LOW, "seed"),
            "mode_connectivity": full(CONNECTED, "pair"),
            "cka": full(SIMILAR, "pair"),
            "status": full(Status.TRAINED, "seed").astype("int8"),
        },
        coords={"load": [4, 8], "temperature": [8, 16, 32, 64, 128], "epoch": [0, 60][:epochs]},
    )


@pytest.mark.parametrize(("loss", "curve", "cka", "phase"), TABLE)
def test_a_cell_has_the_phase_of_its_row(
    loss: float, curve: float, cka: float, phase: Phase
) -> None:
    assert classify_phases(cells((loss, curve, cka)), CRITERIA)["phase"].item() == phase


def test_a_grid_is_labelled_cell_by_cell() -> None:
    rows = [row[:3] for row in TABLE]
    found = classify_phases(cells(*rows), CRITERIA)["phase"]
    assert found.dims == ("load", "temperature")
    assert found.dtype == np.int8
    assert found.values[:, 0].tolist() == [row[3] for row in TABLE]


def test_a_cell_with_all_numbers_is_never_missing() -> None:
    axis = [-1.0, -0.02, -1e-9, 0.0, 0.02, 0.021, 1.0]
    rows = list(product([0.0, 0.0999, 0.1, 7.0], axis, [0.0, 0.5999, 0.6, 1.0]))
    found = classify_phases(cells(*rows), CRITERIA)["phase"]
    assert set(found.values.flat) == {1, 2, 3, 4, 5}


def test_every_epoch_is_labelled() -> None:
    metrics = replicated()
    metrics["train_loss"].loc[{"epoch": 0}] = HIGH
    found = classify_phases(metrics, CRITERIA)["phase"]
    assert found.dims == ("load", "temperature", "epoch")
    assert (found.sel(epoch=0) == Phase.II).all()
    assert (found.sel(epoch=60) == Phase.IV_B).all()


def test_an_epoch_without_measurements_of_pairs_is_missing() -> None:
    metrics = replicated()
    metrics["mode_connectivity"].loc[{"epoch": 0}] = NAN
    found = classify_phases(metrics, CRITERIA)["phase"]
    assert (found.sel(epoch=0) == Phase.MISSING).all()
    assert (found.sel(epoch=60) == Phase.IV_B).all()


def test_one_epoch_of_a_table_is_labelled_as_within_it() -> None:
    metrics = replicated()
    metrics["train_loss"].loc[{"epoch": 0}] = HIGH
    whole = classify_phases(metrics, CRITERIA)["phase"].sel(epoch=0)
    found = classify_phases(metrics.sel(epoch=0), CRITERIA)
    assert found["phase"].equals(whole)
    assert found["epoch"] == 0
    bare = classify_phases(metrics.sel(epoch=0, drop=True), CRITERIA)
    assert bare["phase"].equals(whole.drop_vars("epoch"))


def test_percentage_points_are_taken_as_such_and_it_is_said() -> None:
    metrics = replicated()
    metrics["mode_connectivity"][:, 1:3] = BARRIER
    points = metrics.assign(mode_connectivity=100 * metrics["mode_connectivity"])
    fractions, found = (classify_phases(table, CRITERIA) for table in (metrics, points))
    assert found["phase"].equals(fractions["phase"])
    assert (found["phase"] == Phase.III).sum() == 2 * 2 * 2
    assert "taken for percentage points" in found.attrs["notes"]
    assert "points" not in fractions.attrs["notes"]


@pytest.mark.parametrize("unit", ["%", "percent", " Percentage points"])
def test_a_unit_of_points_is_believed_where_no_value_shows_it(unit: str) -> None:
    metrics = replicated()
    metrics["mode_connectivity"][:, 1:3] = BARRIER / 100
    points = metrics.assign(mode_connectivity=100 * metrics["mode_connectivity"])
    points["mode_connectivity"].attrs["units"] = unit
    criteria = CRITERIA.model_copy(update={"mode_connectivity": 0.002})
    fractions, found = (classify_phases(table, criteria) for table in (metrics, points))
    assert found["phase"].equals(fractions["phase"])
    assert (found["phase"] == Phase.III).sum() == 2 * 2 * 2
    assert f"because their unit is {unit.strip().lower()}" in found.attrs["notes"]


@pytest.mark.parametrize("attributes", [{}, {"units": "1"}, {"units": ""}])
def test_shares_beyond_1_are_points_whatever_the_table_says(attributes: dict[str, str]) -> None:
    """Arithmetic keeps attributes: what was multiplied still says that its unit is 1."""
    metrics = replicated()
    metrics["mode_connectivity"][:, 1:3] = -1.5
    metrics["mode_connectivity"].attrs = attributes
    found = classify_phases(metrics, CRITERIA)
    assert "taken for percentage points, because some lie beyond 1" in found.attrs["notes"]
    np.testing.assert_allclose(found["mode_connectivity_of_cell"][:, 1:3], -0.015)


def equation() -> xr.Dataset:
    """Metrics of an equation as a store describes them: relative errors, as float32."""
    metrics = replicated().astype("float32")
    metrics["mode_connectivity"][:, 1:3] = -1.7
    return described(metrics, "beta", "learning_rate")


def test_relative_errors_of_a_store_may_differ_by_more_than_1() -> None:
    metrics = equation()
    assert metrics["mode_connectivity"].attrs["units"] == "1"
    for table in (metrics, described(metrics, "beta", "learning_rate"), metrics.astype("float64")):
        found = classify_phases(table, CRITERIA)
        assert "points" not in found.attrs["notes"]
        np.testing.assert_allclose(found["mode_connectivity_of_cell"][:, 1:3], -1.7, rtol=1e-6)


def test_relative_errors_that_were_multiplied_are_points() -> None:
    metrics = equation()
    attributes = metrics["mode_connectivity"].attrs
    multiplied = (100 * metrics["mode_connectivity"]).assign_attrs(attributes)
    found = classify_phases(metrics.assign(mode_connectivity=multiplied), CRITERIA)
    assert "because some lie beyond 1.7" in found.attrs["notes"]
    np.testing.assert_allclose(found["mode_connectivity_of_cell"][:, 1:3], -1.7, rtol=1e-6)


def test_an_infinite_value_says_nothing_of_the_unit() -> None:
    metrics = replicated()
    metrics["mode_connectivity"][0, 0, 0] = -math.inf
    assert "points" not in classify_phases(metrics, CRITERIA).attrs["notes"]


@pytest.mark.parametrize(("seeds", "phase"), [("mean", Phase.II), ("median", Phase.IV_B)])
def test_seeds_become_one_number_as_the_criteria_say(seeds: str, phase: Phase) -> None:
    metrics = replicated()
    metrics["train_loss"][{"seed": 0}] = HIGH  # mean (0.9 + 0.01 + 0.01) / 3 > 0.1, median 0.01
    criteria = CRITERIA.model_copy(update={"seeds": seeds})
    found = classify_phases(metrics, criteria)
    assert (found["phase"] == phase).all()
    expected = {"mean": (HIGH + 2 * LOW) / 3, "median": LOW}[seeds]
    np.testing.assert_allclose(found["train_loss_of_cell"], expected, rtol=1e-6)


def test_diverged_models_take_no_part_and_are_counted() -> None:
    metrics = replicated()
    cell = {"load": 8, "temperature": 32, "epoch": 60}
    metrics["train_loss"].loc[cell] = [LOW, NAN, LOW]
    metrics["status"].loc[cell] = [Status.TRAINED, Status.DIVERGED, Status.TRAINED]
    metrics["cka"].loc[cell] = [NAN, SIMILAR, NAN]
    found = classify_phases(metrics, CRITERIA)
    assert found["phase"].sel(cell) == Phase.IV_B
    assert found["models"].sel(cell) == 2
    assert found["diverged"].sel(cell) == 1
    assert found["models"].sum() == 2 * 5 * 2 * 3 - 1
    assert found["diverged"].sum() == 1


def test_collapsed_models_are_counted() -> None:
    metrics = replicated()
    metrics["collapsed"] = metrics["status"] * 0
    metrics["collapsed"].loc[{"load": 4, "temperature": 8, "epoch": 60}] = [1, 0, 1]
    found = classify_phases(metrics, CRITERIA)["collapsed_models"]
    assert found.sel(load=4, temperature=8, epoch=60) == 2
    assert found.sum() == 2


def test_pairs_of_opposite_sign_cancel_in_the_mean_and_not_in_the_median() -> None:
    metrics = replicated()
    metrics["train_loss"][:] = HIGH
    metrics["mode_connectivity"][:] = xr.DataArray([0.01, 0.006, -0.125], dims="pair")
    for how, phase in (("mean", Phase.I), ("median", Phase.II)):
        criteria = CRITERIA.model_copy(update={"seeds": how})
        assert (classify_phases(metrics, criteria)["phase"] == phase).all()


def test_a_cell_whose_models_all_diverged_is_missing() -> None:
    metrics = replicated()
    cell = {"load": 8, "temperature": 32, "epoch": 60}
    for name in ("train_loss", "mode_connectivity", "cka"):
        metrics[name].loc[cell] = NAN
    metrics["status"].loc[cell] = Status.DIVERGED
    found = classify_phases(metrics, CRITERIA)
    assert (found["phase"] == Phase.MISSING).sum() == 1
    assert found["phase"].sel(cell) == Phase.MISSING
    assert (found["models"].sel(cell), found["diverged"].sel(cell)) == (0, 3)


def test_cells_without_seeds_count_one_model() -> None:
    found = classify_phases(cells((LOW, CONNECTED, SIMILAR), (NAN, BARRIER, OTHER)), CRITERIA)
    assert found["models"].values.tolist() == [[1], [0]]
    assert found["diverged"].values.tolist() == [[0], [0]]


def test_the_numbers_that_decided_are_kept() -> None:
    found = classify_phases(cells((LOW, BARRIER, SIMILAR)), CRITERIA)
    for name, value in {"train_loss": LOW, "mode_connectivity": BARRIER, "cka": SIMILAR}.items():
        assert found[f"{name}_of_cell"].item() == np.float32(value)


def test_the_order_of_the_dims_does_not_matter() -> None:
    metrics = replicated()
    turned = metrics.transpose("epoch", "pair", "seed", "temperature", "load")
    assert classify_phases(turned, CRITERIA).identical(classify_phases(metrics, CRITERIA))


@pytest.mark.parametrize("name", ["train_loss", "mode_connectivity", "cka"])
def test_a_metric_that_is_not_there_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=f"metrics: got .*; '{name}' is missing"):
        classify_phases(replicated().drop_vars(name), CRITERIA)


@pytest.mark.parametrize("axis", ["load", "temperature"])
def test_an_axis_that_is_not_there_is_refused_by_name(axis: str) -> None:
    with pytest.raises(ValueError, match=f"metrics.train_loss: got dims .*'{axis}' missing"):
        classify_phases(replicated().isel({axis: 0}), CRITERIA)


def test_an_axis_that_means_nothing_here_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"train_loss: got dims .*'fold'.*allowed are load, temp"):
        classify_phases(replicated().expand_dims(fold=2), CRITERIA)


def column(cka: list[float], **attributes: str) -> xr.Dataset:
    """One load, connected and of low loss, over batch sizes 8, 16, ..."""
    values = {"train_loss": LOW, "mode_connectivity": 0.0}
    dims = ("load", "temperature")
    data = xr.Dataset(
        {name: (dims, np.full((1, len(cka)), value)) for name, value in values.items()},
        coords={"load": [4], "temperature": 8 * 2 ** np.arange(len(cka))},
    )
    data["cka"] = (dims, [cka])
    data["temperature"].attrs = attributes
    return data


def labels(data: xr.Dataset) -> list[Phase]:
    return [Phase(code) for code in classify_phases(data, CRITERIA)["phase"].values.ravel()]


def test_dissimilar_cells_are_overfitted_on_the_cold_side_of_a_similar_one_only() -> None:
    A, B = Phase.IV_A, Phase.IV_B
    assert labels(column([0.3, 0.5, 0.7, 0.9, 0.5, 0.4])) == [B, B, B, B, A, A]
    hot = {"hyperparameter": "learning_rate"}  # now what is large is hot
    assert labels(column([0.3, 0.5, 0.7, 0.9, 0.5, 0.4], **hot)) == [A, A, B, B, B, B]
    assert labels(column([0.3, 0.5, 0.4])) == [A, A, A]  # none is similar
    # what is only so by its side is near a border
    found = classify_phases(column([0.1, 0.99, 0.1]), CRITERIA)["near_border"]
    assert found.values.ravel().tolist() == [1, 0, 0]


def test_the_order_of_the_temperatures_does_not_matter() -> None:
    data = column([0.3, 0.5, 0.7, 0.9, 0.5, 0.4])
    mixed = data.isel(temperature=[4, 0, 5, 2, 1, 3])
    found = classify_phases(mixed, CRITERIA)["phase"].sortby("temperature")
    assert found.equals(classify_phases(data, CRITERIA)["phase"])


def test_a_cell_is_near_a_border_where_a_moved_threshold_changes_its_label() -> None:
    factor = CRITERIA.factor
    rows = [
        (0.1 * factor * 1.01, BARRIER, SIMILAR, 0),
        (0.1 * factor * 0.99, BARRIER, SIMILAR, 1),
        (0.1 / factor * 0.99, BARRIER, SIMILAR, 0),
        (LOW, -0.02 * factor * 1.01, SIMILAR, 0),
        (LOW, -0.02 * factor * 0.99, SIMILAR, 1),
        (LOW, CONNECTED, 1 - 0.4 * factor * 1.01, 0),
        (LOW, CONNECTED, 1 - 0.4 * factor * 0.99, 1),
        (LOW, CONNECTED, 1 - 0.4 / factor * 1.01, 1),
        (HIGH, BARRIER, 0.6, 0),  # its CKA decides nothing
        (NAN, BARRIER, 0.6, 0),
    ]
    found = classify_phases(cells(*(row[:3] for row in rows)), CRITERIA)["near_border"]
    assert found.values[:, 0].tolist() == [row[3] for row in rows]


def test_models_that_failed_where_their_cell_did_not_are_counted() -> None:
    metrics = replicated()
    metrics["train_loss"].loc[{"load": 4, "temperature": 16, "seed": 1, "epoch": 60}] = HIGH
    found = classify_phases(
        metrics.assign_coords(seed=[0, 1, 2]), CRITERIA.model_copy(update={"seeds": "median"})
    )
    assert found["dissenting_models"].sum() == 1
    assert found["dissenting_models"].sel(load=4, temperature=16, epoch=60) == 1


def test_without_criteria_the_thresholds_come_from_the_last_epoch_with_all_metrics() -> None:
    rows = [(HIGH, BARRIER, OTHER), (LOW, BARRIER, OTHER), (LOW, CONNECTED, SIMILAR)] * 8
    last = cells(*rows).expand_dims(epoch=[60])
    early = (last * np.nan).assign(train_loss=last["train_loss"] * 7).assign_coords(epoch=[0])
    later = (last * np.nan).assign_coords(epoch=[90])
    found = classify_phases(xr.concat([early, last, later], "epoch"))
    chosen = json.loads(found.attrs["thresholds"])
    assert chosen["train_loss"]["value"] == pytest.approx(math.sqrt(LOW * HIGH))
    assert found.attrs["scheme"] == "phases"
    codes = found["phase"].sel(epoch=60).values.ravel().tolist()
    assert codes == [Phase.I, Phase.III, Phase.IV_B] * 8
    assert (found["phase"].sel(epoch=[0, 90]) == Phase.MISSING).all()


def test_regimes_are_told_by_training_loss_and_test_error() -> None:
    dims = ("load", "temperature")
    rows = [(1.0, 0.9, 11), (0.01, 0.9, 12), (0.01, 0.02, 13), (1.0, NAN, 11), (0.01, NAN, -1)]
    data = xr.Dataset(
        {
            "train_loss": (dims, [[row[0]] for row in rows]),
            "test_error": (dims, [[row[1]] for row in rows]),
        },
        coords={"load": np.arange(5), "temperature": [0.1]},
    )
    criteria = RegimeCriteria(train_loss=0.1, test_error=0.1)
    found = classify_phases(data, criteria)
    assert found["phase"].values[:, 0].tolist() == [row[2] for row in rows]
    assert set(found["test_error_of_cell"].dims) == {"load", "temperature"}
    assert "cka_of_cell" not in found


def test_what_is_missing_and_what_was_taken_for_granted_is_said() -> None:
    data = cells((LOW, CONNECTED, SIMILAR), (LOW, CONNECTED, NAN))
    notes = classify_phases(data, CRITERIA).attrs["notes"].split("\n")
    assert "cka: missing in 1 of 2 cells" in notes
    assert any(
        note.startswith("temperature: which end is hot is told by nothing") for note in notes
    )
    assert not any(note.startswith("train_loss: missing") for note in notes)

"""Measurements keep their labels, types and gaps, from one job's file to the whole grid."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from phasezoo.store import measurements, schema
from phasezoo.store.measurements import filled, grid, joined, pair_coordinates, read, write
from phasezoo.store.schema import SchemaError, family_variables
from phasezoo.store.variables import OF_MODEL, OF_PAIR, Variable
from phasezoo.vocabulary import Status, compared, seed_pairs

LOADS, TEMPERATURES, BLOCKS, EPOCHS = [3, 7, 11], [13, 29], [(0, 1), (5, 2)], [0, 4]
PAIRS = compared(tuple(BLOCKS), "within")
EVALUATION = family_variables("evaluation")
SIMILARITY = family_variables("similarity")
MERGING = family_variables("merging")


def part(
    load: int,
    temperatures: list[int],
    block: tuple[int, ...],
    epoch: int,
    variables: dict[str, Variable],
) -> xr.Dataset:
    """What one job measured: numbers that tell where they belong."""
    counts = {"seed": len(block), "pair": len(seed_pairs(block)), "block": 1}
    labels = ("layer", "alignment", "correction", "soup", "baseline", "outputs", "recipe", "unit")
    axes = {dim: np.array(["stem", "head"], dtype=object) for dim in labels}
    axes |= {"t": np.linspace(0, 1, 3), "bin": np.linspace(0.5, 1, 2)}
    axes |= {"sweep": np.arange(2), "checkpoint": np.arange(2)}
    values = {}
    for position, (name, variable) in enumerate(variables.items()):
        own = [len(axes[dim]) for dim in variable.dims[4:]]
        shape = (len(temperatures), counts[variable.dims[2]], *own)
        random = np.random.default_rng([load, block[0], epoch, position])
        flags = [key for key in variable.flags if key > 0]
        values[name] = random.choice(flags, shape) if flags else random.random(shape)
    return filled(
        grid([load], temperatures, [block], [epoch], seed_pairs(block), axes), variables, values
    )


def test_pairs_stand_within_their_block_first_below_second() -> None:
    found = pair_coordinates(compared(((0, 2, 1), (7, 5)), "within"))
    assert found["pair"][1].tolist() == ["0-1", "0-2", "1-2", "5-7"]
    assert found["first_seed"][1].tolist() == [0, 0, 1, 5]
    assert found["second_seed"][1].tolist() == [1, 2, 2, 7]


def test_values_stand_at_their_temperature_and_replicate() -> None:
    values = {n: np.arange(6.0).reshape(2, 3) for n in EVALUATION if n != "status"}
    values["status"] = np.array([[1, 2, 1], [1, 1, 2]])
    data = filled(grid([3], [13, 29], [(0, 1, 2)], [4], seed_pairs((0, 1, 2))), EVALUATION, values)
    schema.check(data, EVALUATION)
    at = data.sel(load=3, temperature=29, seed=1, epoch=4)
    assert at["test_loss"].item() == 4.0
    assert at["status"].item() == Status.TRAINED
    assert "pair" not in data.dims  # nothing of the family is measured on pairs


@pytest.mark.parametrize(
    "variables", [EVALUATION, SIMILARITY, MERGING], ids=lambda v: next(iter(v))
)
def test_a_file_reads_back_as_it_was_written(
    tmp_path: Path, variables: dict[str, Variable]
) -> None:
    given = part(3, TEMPERATURES, (0, 1, 2), 4, variables)
    write(tmp_path / "deep/er/a.nc", given, variables)
    found = read(tmp_path / "deep/er/a.nc")
    xr.testing.assert_equal(found, given)
    for name, variable in variables.items():
        assert found[name].dtype == variable.dtype
    assert found["seed" if "seed" in found.dims else "first_seed"].dtype == np.int32


def test_flags_and_gaps_survive_the_file(tmp_path: Path) -> None:
    given = part(3, TEMPERATURES, (0, 1), 4, MERGING)
    given["matching_converged"][:] = np.array([[[[0]], [[1]]]])
    given["barrier_naive"][0, 1] = np.nan
    described = schema.described(given, "width", "batch_size")
    write(tmp_path / "a.nc", described, MERGING)
    found = read(tmp_path / "a.nc")
    assert found["matching_converged"].values.ravel().tolist() == [0, 1]
    assert found["matching_converged"].dtype == np.int8
    assert found["matching_converged"].attrs["flag_meanings"] == "no yes"
    assert found["matching_converged"].attrs["flag_values"].tolist() == [0, 1]
    assert found["barrier_naive"].isnull().values.ravel().tolist() == [False, True]
    assert found["load"].attrs["hyperparameter"] == "width"


def test_what_the_schema_does_not_declare_is_not_written(tmp_path: Path) -> None:
    given = part(3, TEMPERATURES, (0, 1), 4, SIMILARITY)
    with pytest.raises(SchemaError, match="cka: got type float64"):
        write(tmp_path / "a.nc", given.assign(cka=given["cka"].astype(float)), SIMILARITY)
    assert not (tmp_path / "a.nc").exists()


def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from store.test_measurements import *\n"
        "write(Path(sys.argv[2]), part(3, TEMPERATURES, (0, 1, 2), 4, MERGING), MERGING)"
    )
    tests = str(Path(__file__).parents[1])
    write(tmp_path / "a.nc", part(3, TEMPERATURES, (0, 1, 2), 4, MERGING), MERGING)
    subprocess.run([sys.executable, "-c", code, tests, str(tmp_path / "b.nc")], check=True)
    assert (tmp_path / "a.nc").read_bytes() == (tmp_path / "b.nc").read_bytes()


def test_a_block_of_one_seed_has_no_pairs_and_can_be_stored(tmp_path: Path) -> None:
    given = part(3, TEMPERATURES, (5,), 4, MERGING)
    assert given.sizes["pair"] == 0
    write(tmp_path / "a.nc", given, MERGING)
    found = read(tmp_path / "a.nc")
    assert found.sizes["pair"] == 0
    target = grid([3], TEMPERATURES, [(5,)], [4], [])
    whole = joined(target, [found])
    xr.testing.assert_equal(whole["single_error"], given["single_error"])
    assert whole["barrier_naive"].shape == (1, 2, 0, 1)


def everything(variables: dict[str, Variable]) -> list[xr.Dataset]:
    return [
        part(load, TEMPERATURES, block, epoch, variables)
        for load in LOADS
        for block in BLOCKS
        for epoch in EPOCHS
    ]


@pytest.mark.parametrize(
    "variables", [EVALUATION, SIMILARITY, MERGING], ids=lambda v: next(iter(v))
)
def test_every_part_stands_at_its_labels(variables: dict[str, Variable]) -> None:
    parts = everything(variables)
    whole = joined(grid(LOADS, TEMPERATURES, BLOCKS, EPOCHS, PAIRS), parts)
    for one in parts:
        for name, variable in variables.items():
            at = {dim: one[dim].values for dim in variable.dims}
            np.testing.assert_array_equal(whole[name].sel(at), one[name])
            assert whole[name].dtype == variable.dtype


def test_the_order_of_parts_and_of_labels_within_them_does_not_matter() -> None:
    parts = everything(SIMILARITY)
    target = grid(LOADS, TEMPERATURES, BLOCKS, EPOCHS, PAIRS)
    turned = [one.isel(temperature=[1, 0]) for one in reversed(parts)]
    xr.testing.assert_identical(joined(target, parts), joined(target, turned))


def test_what_was_not_measured_stays_missing_and_was_never_trained() -> None:
    parts = everything(EVALUATION)
    gone = parts.pop(5)
    whole = joined(grid(LOADS, TEMPERATURES, BLOCKS, EPOCHS, PAIRS), parts)
    at = {dim: gone[dim].values for dim in EVALUATION["status"].dims}
    assert (whole["status"].sel(at) == Status.NEVER_TRAINED).all()
    assert whole["train_loss"].sel(at).isnull().all()
    assert int((whole["status"] == Status.NEVER_TRAINED).sum()) == gone["status"].size
    assert int(whole["train_loss"].isnull().sum()) == gone["train_loss"].size
    assert whole.sizes["load"] == len(LOADS)


@pytest.mark.parametrize(
    "outside",
    [
        part(5, TEMPERATURES, (0, 1), 4, SIMILARITY),
        part(3, [13, 31], (0, 1), 4, SIMILARITY),
        part(3, TEMPERATURES, (0, 2), 4, SIMILARITY),
        part(3, TEMPERATURES, (0, 1), 5, SIMILARITY),
    ],
    ids=["load", "temperature", "pair", "epoch"],
)
def test_a_part_outside_of_the_grid_is_an_error(outside: xr.Dataset) -> None:
    with pytest.raises(KeyError):
        joined(grid(LOADS, TEMPERATURES, BLOCKS, EPOCHS, PAIRS), [outside])


def test_joining_leaves_the_target_as_it_was() -> None:
    target = grid(LOADS, TEMPERATURES, BLOCKS, EPOCHS, PAIRS)
    joined(target, everything(SIMILARITY))
    assert not target.data_vars


def test_only_floats_have_a_missing_value() -> None:
    found = measurements.encodings(part(3, TEMPERATURES, (0, 1), 4, EVALUATION))
    assert np.isnan(found["train_loss"]["_FillValue"])
    assert found["status"]["_FillValue"] is None
    assert "block" not in found


def curve(points: list[float], load: int) -> xr.Dataset:
    """What a job measured along an axis of its own."""
    variables = {
        "along": Variable("along", "metrics", (*OF_PAIR, "t"), "1", "a curve", "test"),
        "at": Variable("at", "metrics", OF_PAIR, "1", "a number", "test"),
    }
    axes = {"t": np.array(points)}
    pairs = seed_pairs((0, 1))
    coordinates = grid([load], TEMPERATURES, [(0, 1)], [4], pairs, axes)
    along = load + np.arange(2)[:, None, None] + np.array(points)[None, None]
    values = {"along": along, "at": along[..., 0]}
    return filled(coordinates, variables, values)


def test_an_axis_of_a_family_comes_last_and_holds_the_points_of_all_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = [curve([0.0, 1.0], 3), curve([0.0, 0.5, 1.0], 7)]
    assert parts[0]["along"].dims == (*OF_PAIR, "t")
    variables = {
        name: Variable(name, "metrics", parts[0][name].dims, "1", name, "test")
        for name in ("along", "at")
    }
    monkeypatch.setattr(measurements, "VARIABLES", variables)
    found = joined(grid([3, 7], TEMPERATURES, [(0, 1)], [4], seed_pairs((0, 1))), parts)
    assert found["t"].values.tolist() == [0.0, 0.5, 1.0]
    of = found["along"].sel(temperature=29, pair="0-1", epoch=4)
    np.testing.assert_equal(of.sel(load=7).values, [8.0, 8.5, 9.0])
    np.testing.assert_equal(of.sel(load=3).values, [4.0, np.nan, 5.0])


def test_names_on_an_axis_keep_their_order_through_the_file(tmp_path: Path) -> None:
    variables = {"of": Variable("of", "metrics", (*OF_MODEL, "layer"), "1", "x", "test")}
    axes = {"layer": np.array(["stem", "block", "a"], dtype=object)}
    coordinates = grid([3], TEMPERATURES, [(0, 1)], [4], [], axes)
    data = filled(coordinates, variables, {"of": np.arange(12.0).reshape(2, 2, 3)})
    write(tmp_path / "a.nc", data, variables, "NETCDF3_64BIT")
    assert read(tmp_path / "a.nc")["layer"].values.tolist() == ["stem", "block", "a"]

from __future__ import annotations

import csv
import math
import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import phasezoo
from phasezoo.phases.classify import classify_phases
from phasezoo.report.page import page
from phasezoo.report.results import ZooResults
from phasezoo.spec.phases import PhaseCriteria
from phasezoo.store import measurements, schema
from phasezoo.store.csv_table import SHOWN, TableError
from phasezoo.store.summary_columns import COLUMNS
from phasezoo.store.summary_tables import read_summary_table, write_summary_table
from phasezoo.store.whole import check_file, digest
from phasezoo.vocabulary import FIVE_PHASES, Phase, Status
from report.mock import labelling_of

GRID = Path(__file__).parents[3] / "shared" / "reference" / "ptmz_cifar10_resnet18.nc"
CRITERIA = PhaseCriteria(seeds="median", train_loss=0.05, mode_connectivity=0.02, cka=0.9)
HEAD = (
    "model,trial_id,width,seed,lr,wd,batchsize,init_type,epoch,train_loss,train_acc,test_loss,"
    "test_acc,representation_similarity,curve_mc_train_error,curve_mc_test_error,"
    "log_hessian_trace_train,log_hessian_top_ev_val"
)
CELL = "0.75,-12.5,4,1.5,-0.5"


def row(
    width: object = 2,
    seed: object = 0,
    batch: object = 16,
    epoch: object = 150,
    numbers: str = "0.5,0.8,0.9,0.7",
    cell: str = ",,,,",
) -> str:
    name = f'"NN_width={width},seed={seed}"'
    return f"{name},ab_0,{width},{seed},0.1,5e-4,{batch},uniform,{epoch},{numbers},{cell}"


def written(tmp_path: Path, *rows: str, head: str = HEAD) -> Path:
    path = tmp_path / "summary.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def refused(path: Path, temperature: str = "batch_size") -> list[str]:
    with pytest.raises(TableError) as problem:
        read_summary_table(path, temperature)
    return [line.removeprefix(f"{path}") for line in str(problem.value).splitlines()]


def test_it_is_part_of_the_package() -> None:
    assert phasezoo.read_summary_table is read_summary_table


def test_accuracies_points_and_logarithms_become_errors_fractions_and_numbers(
    tmp_path: Path,
) -> None:
    path = written(tmp_path, row(cell=CELL), row(seed=1, numbers="0.25,1,2,0", cell=CELL))
    at = read_summary_table(path).sel(load=2, temperature=16, epoch=150)
    single = np.float32
    assert list(at["train_loss"].values) == [0.5, 0.25]
    assert list(at["train_error"].values) == [single(1 - 0.8), 0]
    assert list(at["test_loss"].values) == [single(0.9), 2]
    assert list(at["test_error"].values) == [single(1 - 0.7), 1]
    assert at["cka"].item() == 0.75
    assert at["mode_connectivity"].item() == -0.125
    assert at["mode_connectivity_test"].item() == single(0.04)
    assert at["hessian_trace"].item() == single(math.exp(1.5))
    assert at["hessian_top_eigenvalue_test"].item() == single(math.exp(-0.5))


def test_axes_and_variables_are_described_as_the_schema_has_them(tmp_path: Path) -> None:
    path = written(tmp_path, row())
    data = read_summary_table(path)
    described = schema.described(data, "width", "batch_size")
    assert data["load"].attrs == described["load"].attrs
    assert data["load"].attrs["hyperparameter"] == "width"
    assert data["temperature"].attrs["hyperparameter"] == "batch_size"
    for name, variable in schema.VARIABLES.items():
        if name in data:
            assert data[name].attrs.items() >= {"long_name": variable.long_name}.items()
            assert data[name].dtype == variable.dtype
    assert "hessian_top_eigenvalue" not in data
    assert "test loss" in data["hessian_top_eigenvalue_test"].attrs["long_name"]
    assert "training loss" in data["hessian_trace"].attrs["long_name"]
    assert "640 samples" in data["hessian_top_eigenvalue_test"].attrs["comment"]
    assert data.attrs["source"] == f"summary.csv, sha256 {digest(path)}"


def test_what_is_missing_is_missing_and_the_axes_are_sorted(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        row(width=16, batch=8, seed=1, epoch=1),
        row(width=2, batch=512, epoch=0, numbers=",,,"),
        row(width=2, batch=8, epoch=1, cell=",-1,,,"),
        row(width=16, batch=512, epoch=1, numbers="nan,0.1,inf,0.1"),
    )
    data = read_summary_table(path)
    assert dict(data.sizes) == {"load": 2, "temperature": 2, "seed": 2, "epoch": 2}
    assert list(data["load"].values) == [2, 16]
    assert list(data["temperature"].values) == [8, 512]
    assert int((data["status"] == Status.NEVER_TRAINED).sum()) == 16 - 4
    there = data["train_loss"].notnull()
    assert int(there.sum()) == 2
    assert there.sel(load=16, temperature=8, seed=1, epoch=1)
    curve = data["mode_connectivity"].sel(load=2, temperature=8, epoch=1)
    assert curve.item() == np.float32(-0.01)
    assert int(data["mode_connectivity"].notnull().sum()) == 1
    assert not data["cka"].notnull().any()
    diverged = data.sel(load=16, temperature=512, seed=0, epoch=1)
    assert diverged["status"].item() == Status.DIVERGED
    assert np.isnan(diverged["test_loss"].item())


def test_tables_of_transformers_have_an_embedding_dim_for_their_width(tmp_path: Path) -> None:
    head = HEAD.replace("width", "embedding_dim").replace("init_type,", "")
    path = written(tmp_path, row(width=192).replace("uniform,", ""), head=head)
    data = read_summary_table(path)
    assert list(data["load"].values) == [192]
    assert data["load"].attrs["hyperparameter"] == "width"


def test_other_hyperparameters_can_be_the_temperature(tmp_path: Path) -> None:
    data = read_summary_table(written(tmp_path, row()), temperature="weight_decay")
    assert list(data["temperature"].values) == [5e-4]
    assert data["temperature"].attrs["hyperparameter"] == "weight_decay"
    (said,) = refused(written(tmp_path, row()), "momentum")
    assert said.startswith("temperature: got 'momentum', allowed are batch_size, learning_rate")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([row(), row(seed=1), row(numbers="0.6,0.8,0.9,0.7")],
         ":4: width 2, batchsize 16, seed 0, epoch 150 is in line 2 already, with other numbers"),
        ([row(width=2.5)], ":2: width: got '2.5', allowed is a number"),
        ([row(batch="many")], ":2: batchsize: got 'many', allowed is a number"),
        ([row(seed="")], ":2: seed: got '', allowed is a number"),
        ([row(epoch=-1)], ":2: epoch: got '-1', allowed is a number"),
        ([row(numbers="a,0.8,0.9,0.7")], ":2: train_loss: got 'a', allowed is a number"),
        ([row(numbers="1,80,0.9,0.7")], ":2: train_acc: got 80, allowed is a fraction"),
        ([row(cell=CELL), row(seed=1, cell=CELL.replace("0.75", "0.5"))],
         ":3: representation_similarity: got 0.5, and 0.75 for another seed of the cell"),
        ([], ": got no rows"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_named_with_its_line(tmp_path: Path, rows: list[str], said: str) -> None:
    (line,) = refused(written(tmp_path, *rows))
    assert line.startswith(said)


TWO_ZOOS = [
    row(seed=seed, epoch=epoch, numbers=numbers, cell=cell).replace("5e-4", decay)
    for epoch in (0, 150)
    for seed in (0, 1)
    for decay, numbers, cell in (("0.05", "1,0.5,1,0.5", CELL), ("5e-4", "2,0.4,2,0.4", ",,,,"))
]


def test_several_zoos_are_listed_and_one_can_be_picked(tmp_path: Path) -> None:
    path = written(tmp_path, *TWO_ZOOS)
    (said,) = refused(path)
    several = ": got several zoos, allowed is one; pick wd=0.05 (2 models) or wd=5e-4 (2 models)"
    assert said == several
    for wd, loss, cka in (("0.05", 1, 0.75), (0.0005, 2, math.nan), (["5e-4"], 2, math.nan)):
        found = read_summary_table(path, pick={"wd": wd})  # type: ignore[dict-item]
        assert (found["train_loss"] == loss).all()
        np.testing.assert_array_equal(found["cka"], np.full((1, 1, 2), cka))
    assert read_summary_table(path, pick={"wd": 0.05}).attrs["picked"] == "wd=0.05"


def test_rows_of_two_zoos_are_never_joined(tmp_path: Path) -> None:
    """The numbers of one are missing, so none contradicts those of the other."""
    empty = row(numbers=",,,").replace("5e-4", "0.05")
    (said,) = refused(written(tmp_path, row(), empty))
    assert said.startswith(": got several zoos")


def test_zoos_that_are_a_temperature_are_one_zoo(tmp_path: Path) -> None:
    found = read_summary_table(written(tmp_path, *TWO_ZOOS), "weight_decay")
    assert found["temperature"].values.tolist() == [5e-4, 0.05]


def trial(name: str, numbers: str, **labels: object) -> str:
    return row(numbers=numbers, **labels).replace("ab_0", name)  # type: ignore[arg-type]


TRIALS = [
    trial("ab_1", "1,0.5,1,0.5", seed=1, epoch=0),
    trial("e1", "3,0.5,1,0.5", seed=0, epoch=0),
    trial("ab_0", "1,0.5,1,0.5", seed=0, epoch=0),
    trial("e1", "4,0.5,1,0.5", seed=0, epoch=150),
    trial("ab_0", "2,0.5,1,0.5", seed=0, epoch=150),
]


def test_of_two_trials_of_one_model_one_can_be_picked(tmp_path: Path) -> None:
    path = written(tmp_path, *TRIALS)
    (said,) = refused(path)  # of a model, not of each of its epochs
    assert said == (
        ":4: width 2, batchsize 16, seed 0, epoch 0 is in line 3 already, with other numbers; "
        "pick trial_id=e1 or trial_id=ab_0"
    )
    for name, losses in (("ab_0", [1, 2]), ("e1", [3, 4])):
        found = read_summary_table(path, pick={"trial_id": name})["train_loss"].squeeze()
        assert found.sel(seed=0).values.tolist() == losses
        assert found.sel(seed=1, epoch=0).item() == 1  # of another model nothing was picked


def test_rows_that_agree_are_one_and_it_is_said(tmp_path: Path) -> None:
    fuller = row(numbers="0.50000000001,0.8,,0.7", cell=CELL)
    found = read_summary_table(written(tmp_path, row(), fuller, row(seed=1), row(seed=1)))
    assert found["train_loss"].squeeze().values.tolist() == [0.5, 0.5]
    assert found["test_loss"].sel(seed=0).item() == np.float32(0.9)
    assert found["cka"].item() == 0.75  # the cell that is empty in the first row
    assert found.attrs["notes"].startswith("2 rows repeat another one")
    assert "notes" not in read_summary_table(written(tmp_path, row(), row(seed=1))).attrs


@pytest.mark.parametrize(
    ("pick", "said"),
    [
        ({"wd": "0.1"}, ": pick: got wd 0.1, allowed are 5e-4"),
        ({"seed": "1"}, ": pick: got 'seed', allowed are lr, wd, init_type, trial_id, model"),
        ({"trial_id": ["ab_0", "x"]}, ": pick: got trial_id x, allowed are ab_0"),
    ],
)
def test_what_cannot_be_picked_is_named(tmp_path: Path, pick: dict[str, str], said: str) -> None:
    path = written(tmp_path, row())
    with pytest.raises(TableError) as problem:
        read_summary_table(path, pick=pick)
    assert str(problem.value) == f"{path}{said}"


def test_rounding_is_no_second_value_of_a_cell(tmp_path: Path) -> None:
    again = row(seed=1, cell=CELL.replace("0.75", "0.75000000001"))
    found = read_summary_table(written(tmp_path, row(cell=CELL), again))
    assert found["cka"].item() == 0.75


def test_unknown_missing_and_contradicting_columns_are_named(tmp_path: Path) -> None:
    head = HEAD.replace("model,", "embedding_dim,").replace("seed", "sede").replace("wd", "")
    unknown, missing, both = refused(written(tmp_path, row(), head=head))
    assert unknown.startswith(": got unknown columns 'sede', ''; allowed are width, ")
    assert missing == ": columns missing: seed"
    assert both == ": got both width and embedding_dim, allowed is one of them"


def test_of_many_problems_the_first_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    lines = refused(written(tmp_path, *[row(width="x", seed=i) for i in range(SHOWN + 5)]))
    assert len(lines) == SHOWN + 1
    assert lines[-1] == "and 5 more"


def test_written_as_netcdf_it_is_the_same_and_the_same_bytes(tmp_path: Path) -> None:
    data = read_summary_table(written(tmp_path, row(cell=CELL), row(seed=1)))
    output = tmp_path / "deep/metrics.nc"
    write_summary_table(data, output)
    check_file(output)
    xr.testing.assert_identical(measurements.read(output), data)
    first = output.read_bytes()
    write_summary_table(data, output)
    assert output.read_bytes() == first


@pytest.fixture(scope="module")
def grid() -> xr.Dataset:
    if not GRID.exists():
        pytest.skip("the published grid is not here")
    with xr.open_dataset(GRID) as data:
        return data.load()


@pytest.fixture(scope="module")
def read_back(grid: xr.Dataset, tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    """The published grid, written out as the table it was made from, and read."""
    path = tmp_path_factory.mktemp("table") / "summary.csv"
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, HEAD.split(","))
        table.writeheader()
        for labels, at in grid.stack(model=("load", "temperature", "seed")).groupby("model"):
            table.writerow(_published(at.squeeze(drop=True), *labels))
    return read_summary_table(path)


def _published(at: xr.Dataset, width: int, batch: int, seed: int) -> dict[str, object]:
    value = {str(name): float(array) for name, array in at.data_vars.items()}
    return {
        "width": width,
        "batchsize": batch,
        "seed": seed,
        "epoch": 150,
        "train_loss": value["train_loss"],
        "train_acc": 1 - value["train_error"],
        "test_loss": value["test_loss"],
        "test_acc": 1 - value["test_error"],
        "representation_similarity": value["cka"],
        "curve_mc_train_error": 100 * value["mode_connectivity"],
        "curve_mc_test_error": 100 * value["mode_connectivity_test"],
        "log_hessian_trace_train": math.log(value["hessian_trace"]),
        "log_hessian_top_ev_val": math.log(value["hessian_top_eigenvalue_test"]),
    }


def test_the_published_grid_comes_back(grid: xr.Dataset, read_back: xr.Dataset) -> None:
    found = read_back.sel(epoch=150)
    for column in COLUMNS.values():
        name = column.name
        expected = grid[name].transpose(*found[name].dims)
        # to float32, and through a difference to 1
        np.testing.assert_allclose(found[name], expected, rtol=1e-6, atol=1e-7)
    assert (found["status"] == Status.TRAINED).all()


def test_its_phases_are_those_of_the_grid(grid: xr.Dataset, read_back: xr.Dataset) -> None:
    phase = classify_phases(read_back, CRITERIA)["phase"].sel(epoch=150)
    assert np.array_equal(phase, classify_phases(grid, CRITERIA)["phase"])
    assert {Phase(int(p)) for p in np.unique(phase)} >= set(FIVE_PHASES) - {Phase.II}


def results(metrics: xr.Dataset) -> ZooResults:
    """What a report needs besides: labels, and of a spec what it names."""
    labels = classify_phases(metrics, CRITERIA)
    phases = schema.described(labels, "width", "batch_size").assign_attrs(labels.attrs)
    spec = {
        "architecture": {"name": "resnet-18"},
        "dataset": "cifar10",
        "phases": CRITERIA.model_dump(),
    }
    return ZooResults(
        name="cifar10-resnet18",
        title="ResNet-18 on CIFAR-10, published metrics",
        metrics=metrics,
        merging=None,
        transfer=None,
        phases=phases,
        labelling=labelling_of(phases, CRITERIA),
        manifest={
            "schema": 1,
            "tree": {"sha256": "0" * 64, "files": 1, "bytes": 1},
            "spec": {"zoo": spec},
        },
        provenance={"started": "", "seconds": 0.0, "versions": {}, "machine": {}},
    )


def test_a_report_can_be_made_of_it(tmp_path: Path) -> None:
    rows = [
        row(width=w, batch=b, seed=s, epoch=e, cell=CELL if e else ",,,,")
        for w in (2, 16) for b in (8, 64) for s in (0, 1) for e in (0, 150)
    ]  # fmt: skip
    text = page([results(read_summary_table(written(tmp_path, *rows)))])
    assert "8 trained, 0 diverged, 0 never trained" in text
    measured = dict(re.findall(r'<th scope="row">([^<]+)</th><td>(\d+)</td><td>\d+</td>', text))
    assert measured["Test error"] == "8"
    assert measured["CKA of the outputs"] == "4"  # one per cell
    assert measured["L2 distance"] == "0"
    assert measured["Hessian: top eigenvalue, test"] == "4"  # the training one is not published
    assert "Hessian: top eigenvalue" not in measured
    assert measured["Hessian: trace"] == "4"
    assert "Hessian: trace, test" not in measured

"""Merged models judged, recipes of checkpoints, permutations: what a job of merging stores."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr

from phasezoo.landscape.network import Network
from phasezoo.merging.halves import together
from phasezoo.merging.permutation import infer, permute
from phasezoo.merging.stored import permutations_from
from phasezoo.models.build import build
from phasezoo.models.flat import Weights
from phasezoo.spec.architecture import Mlp
from phasezoo.spec.jobs import MeasureJob
from phasezoo.spec.merging import Arms, Merging
from phasezoo.spec.seen import ByLabels
from phasezoo.steps.merging import merging
from phasezoo.store import measurements
from phasezoo.store.dataset import read_task
from phasezoo.store.publish import write_group
from phasezoo.store.weights import Block
from phasezoo.training.evaluate import evaluate
from steps.tiny import MLP, RESNET, Tiny

CPU = torch.device("cpu")
ARMS = {
    "alignments": ["none", "weights"],
    "corrections": ["kept", "repair"],
    "samples": 29,
    "judged": {"bins": 5, "curves": True},
    "recipes": True,
    "permutations": True,
}
HEAT = 13


def measured(
    tiny: Tiny, output: Path, zoo: str = MLP, arms: dict | None = None, **changes: object
) -> xr.Dataset:
    """Both loads of a zoo in one job."""
    loads = tiny.zoo(zoo).load.all_values
    share = "13+31" if zoo == MLP else "0.1+100000000000"
    each = [tiny.job(f"measured/{zoo}/{load}/{share}/0+1/3/merging.nc") for load in loads]
    job, weights = each[0][0], [path for _, of in each for path in of]
    options = job.options_as(Merging)
    options = options.model_copy(update={"arms": Arms.model_validate(arms or ARMS)})
    job = job.model_copy(update={"loads": loads, "options": options, **changes})
    job = MeasureJob.model_validate_json(job.model_dump_json())
    merging(job, tiny.root / "data/digits.json", weights, output, 0, output.with_suffix(".tsv"))
    return measurements.read(output)


@pytest.fixture(scope="module")
def made(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("judged") / "a.nc"
    measured(tiny, path, seen=ByLabels(by="labels", majority=0.7))
    return path


@pytest.fixture(scope="module")
def found(made: Path) -> xr.Dataset:
    return measurements.read(made).sel(load=7, temperature=HEAT, epoch=3)


def test_midpoints_are_judged_as_they_were_measured(found: xr.Dataset) -> None:
    pair, middle = found.sel(pair="0-1"), found.sel(pair="0-1", t=0.5)
    for of in ("train", "test"):
        for what, within in (("loss", 1e-5), ("error", 1e-6)):
            judged = pair[f"judged_midpoint_{what}"].sel(outputs=of)
            np.testing.assert_allclose(judged, middle[f"path_{of}_{what}"], rtol=within, atol=1e-7)
    counts = pair["judged_midpoint_bin_count"].sum("bin")
    np.testing.assert_array_equal(counts.sel(outputs="train"), 61)
    np.testing.assert_array_equal(counts.sel(outputs="test"), 53)


def test_curves_say_what_the_numbers_say(found: xr.Dataset) -> None:
    for of in ("midpoint", "soup"):
        count, confidence, accuracy = (
            found[f"judged_{of}_bin_{name}"] for name in ("count", "confidence", "accuracy")
        )
        share = count / count.sum("bin")
        gap = (share * abs(accuracy - confidence)).sum("bin")
        np.testing.assert_allclose(gap, found[f"judged_{of}_calibration_error"], rtol=1e-4)
        right = (share * accuracy).sum("bin")
        np.testing.assert_allclose(1 - right, found[f"judged_{of}_error"], atol=1e-6)
    np.testing.assert_allclose(found["bin"], [0.2, 0.4, 0.6, 0.8, 1])


def ends(tiny: Tiny, epoch: int = 3) -> list[Weights]:
    block = Block(tiny.root / f"runs/{MLP}/7/{HEAT}/0+1/2+3.zarr")
    return [block.weights(seed, epoch) for seed in (0, 1)]


def network() -> Network:
    return Network(build(Mlp(name="mlp", hidden_layers=2, width=7), (1, 8, 8), 10), CPU)


def test_baselines_of_a_pair_are_models_that_can_be_made_by_hand(
    found: xr.Dataset, tiny: Tiny
) -> None:
    task = read_task(tiny.root / "data/digits.json", CPU)
    functions = [network().function(model) for model in ends(tiny)]
    beside = found["judged_pair_baseline_loss"].sel(pair="0-1", outputs="test")

    def loss(function) -> float:
        return evaluate(function, task.test_inputs, task.test_labels).loss

    assert beside.sel(baseline="ensemble").item() == pytest.approx(loss(together(functions)), 1e-5)
    alone = [loss(function) for function in functions]
    assert beside.sel(baseline="single").item() == pytest.approx(np.mean(alone), rel=1e-5)
    assert min(alone) * 0.99 < beside.sel(baseline="best").item() < max(alone) * 1.01
    assert beside.sel(baseline="with_prior").item() != pytest.approx(np.mean(alone), rel=1e-3)
    assert np.isnan(beside.sel(baseline="full"))  # there are two models to a block


def test_a_block_of_two_has_the_baselines_of_its_pair(found: xr.Dataset) -> None:
    for name in ("loss", "error", "top5_error", "calibration_error", "bin_count"):
        of_pair = found[f"judged_pair_baseline_{name}"].sel(pair="0-1")
        np.testing.assert_array_equal(found[f"judged_baseline_{name}"].sel(block="0+1"), of_pair)
    block = found.sel(block="0+1")
    plain = block["judged_baseline_error"].sel(outputs="test")
    np.testing.assert_array_equal(block["baseline_error"], plain)


def test_soups_are_judged_as_they_were_measured(found: xr.Dataset) -> None:
    block = found.sel(block="0+1")
    uniform = block["judged_soup_loss"].sel(soup="uniform", outputs="test")
    np.testing.assert_allclose(uniform, block["soup_loss"].sel(soup="uniform"), rtol=1e-5)


def test_the_last_checkpoint_alone_is_the_model(found: xr.Dataset) -> None:
    late = found["late_soup_error_naive"].sel(recipe="last_1", correction="kept")
    np.testing.assert_allclose(late, found["single_error"], atol=1e-7)
    every = found["late_soup_error_naive"].sel(recipe="last_3")
    np.testing.assert_allclose(every, found["checkpoint_soup_error"], atol=1e-7)
    assert found["checkpoint"].values.tolist() == [1, 2, 3]
    np.testing.assert_array_equal(found["late_units_moved"].sel(checkpoint=3), 0)


def test_before_the_last_checkpoint_there_is_none(tiny: Tiny, tmp_path: Path) -> None:
    early = measured(tiny, tmp_path / "a.nc", epoch=2).sel(epoch=2)
    for name in ("late_soup_loss_naive", "late_units_moved", "checkpoint_soup_error"):
        assert early[name].isnull().all()
    for name in ("judged_midpoint_loss", "soup_loss", "single_error", "alignment_recovery"):
        assert early[name].notnull().all()
    assert early["baseline"].values.tolist() == ["single", "best", "ensemble"]


def test_aligned_models_are_rebuilt_from_a_published_store(
    made: Path, tiny: Tiny, tmp_path: Path
) -> None:
    """With xarray alone, the spec of the architecture, and what is stored of the permutation."""
    store = tmp_path / "zoo.zarr"
    shutil.copytree(tiny.root / f"zoos/{MLP}.zarr", store)
    shutil.rmtree(store / "merging")
    write_group(store, "merging", measurements.read(made), tiny.zoo(MLP))
    there = {"temperature": HEAT, "epoch": 3}
    open_group = {"engine": "zarr", "consolidated": False}
    weights = xr.open_dataset(store, group="weights/7", **open_group)
    merged = xr.open_dataset(store, group="merging", **open_group).sel(load=7, pair="0-1", **there)
    root = xr.open_dataset(store, **open_group).attrs
    hidden = json.loads(root["spec"])["architecture"]["hidden_layers"]
    module = build(Mlp(name="mlp", hidden_layers=hidden, width=7), (1, 8, 8), root["classes"])
    net, spec = Network(module, CPU), infer(module, torch.zeros(2, 1, 8, 8))
    first, second = (
        Weights(torch.from_numpy(weights["parameters"].sel(seed=s, **there).values), torch.empty(0))
        for s in (int(merged["first_seed"]), int(merged["second_seed"]))
    )
    task = read_task(tiny.root / "data/digits.json", CPU)
    for way in ("none", "weights"):
        by = permutations_from(merged["permutation"].sel(alignment=way).load())
        moved = permute(net, spec, second, by)
        middle = Weights((first.parameters + moved.parameters) / 2, torch.empty(0))
        loss = evaluate(net.function(middle), task.train_inputs, task.train_labels).loss
        known = merged["path_train_loss"].sel(alignment=way, correction="kept", t=0.5).item()
        assert loss == pytest.approx(known, rel=1e-5)
    assert merged["permutation"].dtype == np.int32


def test_narrow_models_have_fewer_units_than_the_axis(made: Path) -> None:
    stored = measurements.read(made)["permutation"].sel(temperature=HEAT, pair="0-1", epoch=3)
    assert stored.sizes["unit"] == 2 * 7
    there = (stored.sel(alignment="weights") >= 0).sum("unit")
    assert there.sel(load=[3, 7]).values.tolist() == [6, 14]


def test_times_lie_beside_and_bytes_are_equal(tiny: Tiny, made: Path, tmp_path: Path) -> None:
    measured(tiny, tmp_path / "b.nc", seen=ByLabels(by="labels", majority=0.7))
    assert (tmp_path / "b.nc").read_bytes() == made.read_bytes()
    with made.with_suffix(".tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    cells = {(row["load"], row["temperature"]) for row in rows}
    assert cells == {(load, heat) for load in ("3", "7") for heat in ("13", "31")}
    of_cell = [r for r in rows if (r["load"], r["temperature"]) == ("7", "13")]
    assert [(r["for"], r["way"], r["seeds"]) for r in of_cell] == [
        ("barrier", "weights", "0+1"),
        ("path", "none", "0+1"),
        ("path", "weights", "0+1"),
        ("soup", "none", "0+1"),
        ("soup", "weights", "0+1"),
    ]
    assert all(float(row["seconds"]) >= 0 for row in rows)


def test_what_diverged_has_nothing(tiny: Tiny, tmp_path: Path) -> None:
    both = measured(tiny, tmp_path / "a.nc", zoo=RESNET, loads=(2,))
    found = both.sel(temperature=1e11)
    for name in ("judged_midpoint_loss", "judged_baseline_loss", "judged_soup_bin_count"):
        assert found[name].isnull().all()
    assert found["late_units_moved"].isnull().all()
    assert (found["permutation"] == -1).all()
    assert (both["permutation"].sel(temperature=0.1) >= 0).any()


@pytest.mark.parametrize("option", ["judged", "recipes", "permutations"])
def test_jobs_say_nothing_of_what_is_not_asked_for(option: str) -> None:
    arms = {key: of for key, of in ARMS.items() if key != option}
    assert option not in Arms.model_validate(arms).model_dump_json()


def test_curves_are_left_out_unless_wanted(tiny: Tiny, tmp_path: Path) -> None:
    arms = {**ARMS, "judged": {"bins": 5}, "recipes": False, "permutations": False}
    found = measured(tiny, tmp_path / "a.nc", arms=arms, loads=(7,))
    assert "judged_midpoint_calibration_error" in found
    for axis in ("bin", "recipe", "checkpoint", "unit"):
        assert axis not in found.dims

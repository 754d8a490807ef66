"""The arms of merging: every way of aligning with every correction, beside its baselines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from torch.nn import functional

from phasezoo.landscape.network import Network
from phasezoo.merging.halves import together
from phasezoo.models.build import build
from phasezoo.spec.architecture import Architecture
from phasezoo.spec.jobs import MeasureJob, at_load
from phasezoo.spec.merging import Arms, Merging
from phasezoo.steps.merging import merging
from phasezoo.store import measurements
from phasezoo.store.dataset import read_task
from phasezoo.store.weights import Block
from steps.tiny import MLP, RESNET, Tiny

CPU = torch.device("cpu")
WAYS = ("none", "weights", "activations", "products", "straight_through", "merge_many", "universe")
GIVEN = {
    "alignments": list(WAYS),
    "corrections": ["kept", "reset", "repair"],
    "restarts": 1,
    "samples": 29,
    "learning": {
        "epochs": 2,
        "batch_size": 19,
        "learning_rate": 0.05,
        "momentum": 0.9,
        "held_out": 0.3,
    },
}
PLACES = {MLP: (7, "13+31", 13), RESNET: (3, "0.1+100000000000", 0.1)}


def measured(tiny: Tiny, zoo: str, output: Path) -> xr.Dataset:
    load, share, _ = PLACES[zoo]
    job, weights = tiny.job(f"measured/{zoo}/{load}/{share}/0+1/3/merging.nc")
    options = job.options_as(Merging).model_copy(update={"arms": Arms.model_validate(GIVEN)})
    job = MeasureJob.model_validate_json(
        job.model_copy(update={"options": options}).model_dump_json()
    )
    merging(job, tiny.root / "data/digits.json", weights, output, 0)
    return measurements.read(output)


@pytest.fixture(scope="module", params=[MLP, RESNET])
def made(request: pytest.FixtureRequest, tiny: Tiny, tmp_path_factory: pytest.TempPathFactory):
    root = tmp_path_factory.mktemp("arms")
    return request.param, measured(tiny, request.param, root / "a.nc")


def at(zoo: str, found: xr.Dataset) -> xr.Dataset:
    load, _, heat = PLACES[zoo]
    return found.sel(load=load, temperature=heat, epoch=3)


def test_lines_as_they_are_with_fresh_statistics_are_what_was_measured_before(made) -> None:
    zoo, found = made
    pair = at(zoo, found).sel(pair="0-1")
    line = pair.sel(alignment="none", correction="reset")
    for what, name in (("loss", "barrier_naive"), ("error", "error_barrier_naive")):
        along = line[f"path_train_{what}"].values
        assert along.max() - along[[0, -1]].mean() == pytest.approx(pair[name].item(), abs=1e-5)
    middle = line["path_test_error"].sel(t=0.5).item()
    assert middle == pytest.approx(pair["midpoint_error_naive"].item(), abs=1e-6)
    assert line["path_test_error"].values[[0, -1]].mean() == pytest.approx(
        pair["ends_error"].item(), abs=1e-6
    )


def test_ends_of_paths_are_the_models_in_every_frame(made) -> None:
    zoo, found = made
    kept = at(zoo, found).sel(pair="0-1", correction="kept")
    for name in ("path_train_loss", "path_test_loss"):
        ends = kept[name].isel(t=[0, -1]).transpose("alignment", "t").values
        np.testing.assert_allclose(ends, np.broadcast_to(ends[0], ends.shape), rtol=1e-4)


def test_searches_say_how_they_went(made) -> None:
    zoo, found = made
    pair = at(zoo, found).sel(pair="0-1")
    for way in WAYS[1:]:
        steps = pair["alignment_objective"].sel(alignment=way).values
        told = steps[np.isfinite(steps)]
        assert (np.diff(told) >= 0).all()
        assert not np.isfinite(steps[len(told) :]).any()
        assert pair["alignment_converged"].sel(alignment=way).item() in (0, 1)
    weights = pair["alignment_objective"].sel(alignment="weights").values
    gain = weights[np.isfinite(weights)][-1] - weights[0]
    assert gain >= pair["matching_gain"].item() * (1 - 1e-5)  # a restart can only help


def test_copies_are_recovered_by_all_that_search(made) -> None:
    zoo, found = made
    rates = at(zoo, found)["alignment_recovery"].mean("seed")
    assert rates.sel(alignment="none").item() == 0
    assert rates.sel(alignment=["weights", "merge_many", "universe"]).values.tolist() == [1, 1, 1]


def test_soups_stand_beside_single_models_and_the_ensemble(made, tiny: Tiny) -> None:
    zoo, found = made
    block = at(zoo, found).sel(block="0+1")
    two = block["soup_error"].sel(alignment="none", correction="reset", soup="uniform").item()
    assert two == pytest.approx(block["seed_average_error_naive"].item(), abs=1e-6)
    load, _, heat = PLACES[zoo]
    label = tiny.zoo(zoo).temperature.meaning.label(heat)
    models = [
        Block(tiny.root / f"runs/{zoo}/{load}/{label}/0+1/2+3.zarr").weights(seed, 3)
        for seed in (0, 1)
    ]
    architecture: Architecture = at_load(tiny.zoo(zoo), load)
    net = Network(build(architecture, (1, 8, 8), 10), CPU)
    task = read_task(tiny.root / "data/digits.json", CPU)
    logits = together([net.function(model) for model in models])(task.test_inputs)
    ensemble = block.sel(baseline="ensemble")
    loss = functional.cross_entropy(logits, task.test_labels).item()
    assert ensemble["baseline_loss"].item() == pytest.approx(loss, rel=1e-5)
    wrong = (logits.argmax(1) != task.test_labels).double().mean().item()
    assert ensemble["baseline_error"].item() == pytest.approx(wrong, abs=1e-6)
    singles = at(zoo, found)["single_error"].mean("seed").item()
    assert block["baseline_error"].sel(baseline="single").item() == pytest.approx(singles, abs=1e-6)


def test_temperatures_never_hurt_much_and_are_positive(made) -> None:
    zoo, found = made
    pair = at(zoo, found).sel(pair="0-1")
    assert (pair["midpoint_temperature"] > 0).all()
    plain = pair["path_test_loss"].sel(t=0.5)
    assert (pair["midpoint_calibrated_loss"] <= plain * 1.05 + 0.05).all()


def test_late_checkpoints_are_averaged_with_every_correction(made) -> None:
    zoo, found = made
    of = at(zoo, found)
    reset = of["checkpoint_soup_error"].sel(correction="reset")
    np.testing.assert_allclose(reset, of["checkpoint_average_error"], atol=1e-6)


def test_what_diverged_has_no_numbers(tiny: Tiny, tmp_path: Path) -> None:
    found = measured(tiny, RESNET, tmp_path / "a.nc").sel(temperature=1e11)
    for name in ("path_test_loss", "soup_error", "checkpoint_soup_loss", "baseline_loss"):
        assert not np.isfinite(found[name]).any()
    assert (found["alignment_converged"] == -1).all()
    assert (found["alignment_recovery"] == -1).all()


def test_two_runs_give_the_same_bytes(tiny: Tiny, tmp_path: Path) -> None:
    for name in ("a.nc", "b.nc"):
        measured(tiny, MLP, tmp_path / name)
    assert (tmp_path / "a.nc").read_bytes() == (tmp_path / "b.nc").read_bytes()


def test_a_job_without_arms_reads_as_it_always_did(tiny: Tiny) -> None:
    job, _ = tiny.job("measured/small-mlp/7/13+31/0+1/3/merging.nc")
    assert '"arms"' not in job.model_dump_json()

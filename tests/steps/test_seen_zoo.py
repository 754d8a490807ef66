"""A zoo whose models saw different classes, merged early and late, through all its steps."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import xarray as xr

from phasezoo import rng
from phasezoo.data.seen import seen_samples
from phasezoo.models.build import build, initialise
from phasezoo.spec import jobs
from phasezoo.spec.training_jobs import training_job
from phasezoo.store import measurements
from phasezoo.store.dataset import read_task
from phasezoo.store.weights import Block
from phasezoo.training.train import start, train
from steps.tiny import MLP, STUDY, Tiny

CPU = torch.device("cpu")
OF_CHECKPOINTS = ("checkpoint_average_error", "checkpoint_soup_error", "checkpoint_soup_loss")
AT = {"zoo": MLP, "load": "5", "temperature": "13"}


def study() -> dict:
    given = deepcopy(STUDY)
    given["run"], given["zoos"] = [MLP], {MLP: given["zoos"][MLP]}
    zoo = given["zoos"][MLP]
    zoo |= {"seeds": [[0, 1, 2], [3, 4, 5]], "pairs": "disjoint"}
    zoo["load"], zoo["temperature"]["values"] = {"hyperparameter": "width", "values": [5]}, [13]
    zoo["training"]["seen"] = {"by": "labels", "majority": 0.8}
    zoo["merging"] |= {
        "epochs": [1, 3],
        "last_checkpoints": [2, 3],
        "arms": {"alignments": ["none", "weights"], "corrections": ["kept"], "samples": 29},
    }
    for family in ("hessian", "spectra", "noise", "learning_coefficient"):
        zoo["metrics"].pop(family)
    del zoo["transfer"], zoo["learning"]
    return given


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    tiny = Tiny(tmp_path_factory.mktemp("seen"), study())
    tiny.make(MLP)
    return tiny


@pytest.fixture(scope="module")
def merging(made: Tiny) -> xr.Dataset:
    return measurements.read(made.root / f"results/{MLP}/merging.nc")


@pytest.mark.parametrize(("block", "seeds"), [("0+1+2", (0, 1, 2)), ("3+4+5", (3, 4, 5))])
def test_every_model_is_trained_on_what_its_place_in_the_block_sees(
    made: Tiny, block: str, seeds: tuple[int, ...]
) -> None:
    """Over both segments, as on a data set that has nothing else."""
    task, zoo = read_task(made.root / "data/digits.json", CPU), made.zoo(MLP)
    how, architecture = jobs.at_temperature(zoo, 13), jobs.at_load(zoo, 5)
    stored = Block.of_cell(made.root / f"runs/{MLP}/5/13/{block}/2+3.json", "5", "13")
    for position, seed in enumerate(seeds):
        seen = seen_samples(zoo.training.seen, "digits", task.train_labels, position, seed)
        assert (seen is None) == (position == 2)
        part = slice(None) if seen is None else seen
        inputs, labels = task.train_inputs[part], task.train_labels[part]
        own = replace(task, train_inputs=inputs, train_labels=labels)
        names = (MLP, "width=5", "batch_size=13", f"seed={seed}")
        module = build(architecture, task.shape, task.classes)
        initialise(module, rng.generator(*names, "init"))
        (wanted,) = train(module, own, how, names, start(module), (3,))
        found = stored.weights(position, 3).parameters
        assert torch.equal(found, wanted.weights.parameters)


def test_in_blocks_of_three_the_pair_is_that_of_the_two_parts(
    made: Tiny, merging: xr.Dataset
) -> None:
    metrics = measurements.read(made.root / f"results/{MLP}/metrics.nc")
    for found in (metrics, merging):
        assert found["pair"].values.tolist() == ["0-1", "3-4"]
        assert found["seed"].values.tolist() == [0, 1, 2, 3, 4, 5]
    assert np.isfinite(metrics["mode_connectivity"].sel(epoch=3)).all()
    assert np.isfinite(merging["barrier_aligned"]).all()


def test_a_disjoint_pair_has_the_numbers_it_has_among_all_pairs_of_its_block(made: Tiny) -> None:
    name = f"measured/{MLP}/5/13/0+1+2/3/merging.nc"
    other = Tiny(made.root, {**study(), "zoos": {MLP: {**study()["zoos"][MLP], "pairs": "within"}}})
    found = measurements.read(made.root / name)
    whole = measurements.read(other.measure(name, made.root / "whole.nc"))
    assert whole["pair"].values.tolist() == ["0-1", "0-2", "1-2"]
    xr.testing.assert_equal(found, whole.sel(pair=["0-1"]))


def test_before_the_late_checkpoints_only_what_is_made_of_them_is_missing(
    merging: xr.Dataset,
) -> None:
    early, late = merging.sel(epoch=1), merging.sel(epoch=3)
    for name in OF_CHECKPOINTS:
        assert early[name].isnull().all()
        assert late[name].notnull().all()
    for name in set(merging.data_vars) - {*OF_CHECKPOINTS, "alignment_objective"}:
        assert early[name].notnull().all(), name
    assert (early["alignment_recovery"] >= 0).all()


def test_early_merging_reads_no_checkpoints_that_come_later(made: Tiny) -> None:
    labels = {"zoo": MLP, "loads": "5", "temperatures": "13", "blocks": "0+1+2"}
    at_epoch = {
        epoch: made.plan.merged_weights(SimpleNamespace(**labels, epoch=str(epoch)))
        for epoch in (1, 3)
    }
    of_block = f"runs/{MLP}/5/13/0+1+2"
    assert at_epoch == {1: [f"{of_block}/0+1.json"], 3: [f"{of_block}/2+3.json"]}


def test_jobs_say_what_is_seen_and_paired_where_it_is_not_as_ever(made: Tiny) -> None:
    ever = Tiny(made.root)
    segment = SimpleNamespace(**AT, block="0+1+2", segment="0+1")
    told = json.loads(made.plan.train_job(segment))
    assert told["seen"] == {"by": "labels", "majority": 0.8}
    assert training_job(json.dumps(told)).seen == made.zoo(MLP).training.seen
    of_all = {**AT, "load": "3", "block": "0+1", "segment": "0+1"}
    assert "seen" not in json.loads(ever.plan.train_job(SimpleNamespace(**of_all)))
    for family in ("similarity", "merging", "evaluation"):
        job, _ = made.job(f"measured/{MLP}/5/13/0+1+2/3/{family}.nc")
        other, _ = ever.job(f"measured/{MLP}/3/13+31/0+1/3/{family}.nc")
        paired = json.loads(job.model_dump_json()).get("pairs")
        assert paired == (None if family == "evaluation" else "disjoint")
        assert "pairs" not in json.loads(other.model_dump_json())


def test_a_share_of_cells_is_told_what_its_cells_see(made: Tiny) -> None:
    given = study()
    given["zoos"][MLP]["training"]["together"] = ["load"]
    given["zoos"][MLP]["load"]["values"] = [[5, 7]]
    plan = Tiny(made.root, given).plan
    labels = {**AT, "load": "5+7", "block": "0+1+2", "segment": "0+1"}
    share = training_job(plan.train_job(SimpleNamespace(**labels)))
    alone = training_job(made.plan.train_job(SimpleNamespace(**{**labels, "load": "5"})))
    assert share.cells()[0] == alone

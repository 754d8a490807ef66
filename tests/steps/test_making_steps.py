"""Training, data, joining, labelling and publishing: each step is its science, stored."""

from __future__ import annotations

import json
import shutil
import weakref
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr

from phasezoo import open_zoo, rng, sample_indices
from phasezoo.data.labelled import labelled
from phasezoo.data.sample import Set
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import Weights
from phasezoo.phases.classify import classify_phases
from phasezoo.phases.coverage import coverage
from phasezoo.report.labelling import Labelling
from phasezoo.spec import jobs
from phasezoo.spec.jobs import TrainJob, at_load, at_temperature
from phasezoo.steps.phases import FACTORS
from phasezoo.store import measurements, schema
from phasezoo.store.dataset import read_task
from phasezoo.store.manifest import ManifestError, read_manifest, store_of, verify
from phasezoo.store.variables import VARIABLES, Variable
from phasezoo.store.weights import Block
from phasezoo.store.whole import read_json
from phasezoo.training.checkpoint import Checkpoint, with_last_state
from phasezoo.training.train import start, train
from phasezoo.vocabulary import Phase, Status
from steps.tiny import MLP, RESNET, STUDY, Tiny

CPU = torch.device("cpu")
CELLS = [(MLP, 3, 13), (MLP, 7, 31), (RESNET, 2, 0.1), (RESNET, 3, 1e11)]


def label(tiny: Tiny, zoo: str, temperature: float) -> str:
    return tiny.zoo(zoo).temperature.meaning.label(temperature)


@pytest.mark.parametrize(("zoo", "load", "temperature"), CELLS)
def test_two_segments_are_one_uninterrupted_training(
    tiny: Tiny, zoo: str, load: int, temperature: float
) -> None:
    spec, text = tiny.zoo(zoo), label(tiny, zoo, temperature)
    task = read_task(tiny.root / "data/digits.json", CPU)
    runs = tiny.root / f"runs/{zoo}/{load}/{text}/0+1"
    blocks = {0: "0+1", 1: "0+1", 2: "2+3", 3: "2+3"}
    for position, seed in enumerate((0, 1)):
        names = (zoo, f"width={load}", f"{spec.temperature.hyperparameter}={text}", f"seed={seed}")
        module = build(at_load(spec, load), task.shape, task.classes)
        initialise(module, rng.generator(*names, "init"))
        how = at_temperature(spec, temperature)
        for expected in train(module, task, how, names, start(module), (0, 1, 2, 3)):
            block = Block(runs / f"{blocks[expected.epoch]}.zarr")
            found = block.weights(position, expected.epoch)
            assert torch.equal(
                found.parameters.nan_to_num(7), expected.weights.parameters.nan_to_num(7)
            )
            assert torch.equal(found.buffers.nan_to_num(7), expected.weights.buffers.nan_to_num(7))
            assert block.status(position, expected.epoch) is expected.status


def test_one_state_of_the_optimiser_is_held_at_a_time() -> None:
    """Of all checkpoints of a block they would not fit into the memory of a machine."""
    alive: list[weakref.ref[torch.Tensor]] = []
    weights = Weights(torch.zeros(3), torch.empty(0))

    def trained() -> Iterator[Checkpoint]:
        for epoch in range(5):
            state = torch.full((2, 3), float(epoch))
            alive.append(weakref.ref(state))
            made = Checkpoint(epoch, weights, state, Status.TRAINED)
            del state
            yield made
            del made
            assert sum(ref() is not None for ref in alive) == 1

    found = with_last_state(trained())
    assert [checkpoint.epoch for checkpoint in found] == [0, 1, 2, 3, 4]
    assert torch.equal(found[-1].state, torch.full((2, 3), 4.0))


def test_a_diverged_block_is_stored_and_said(tiny: Tiny) -> None:
    runs = tiny.root / f"runs/{RESNET}/3/100000000000/0+1"
    first, then = Block(runs / "0+1.zarr"), Block(runs / "2+3.zarr")
    assert [first.status(0, epoch) for epoch in (0, 1)] == [Status.TRAINED, Status.DIVERGED]
    assert then.status(1, 3) is Status.DIVERGED
    assert first.weights(0, 0).finite
    assert then.weights(0, 3).parameters.isnan().all()
    verify(runs / "2+3.json")


def test_the_provenance_of_weights_says_how_they_were_trained(tiny: Tiny) -> None:
    made = read_json(tiny.root / f"runs/{MLP}/3/13/0+1/2+3.provenance.json")
    assert (
        made["training"] == "2 models one after the other (fewer than 6 that fit are not measured)"
    )


def test_a_manifest_of_weights_carries_its_job(tiny: Tiny) -> None:
    job = TrainJob.model_validate(
        read_manifest(tiny.root / f"runs/{MLP}/3/13/0+1/2+3.json")["spec"]
    )
    assert (job.place.zoo, job.place.load, job.temperature) == (MLP, 3, 13)
    assert (job.epochs, job.resume) == ((2, 3), 1)
    assert job.optimisation.batch_size == 13
    assert job.architecture.width == 3


def test_a_second_study_elsewhere_has_the_same_manifests(tiny: Tiny, tmp_path: Path) -> None:
    other = Tiny(tmp_path / "elsewhere")
    torch.manual_seed(7)  # nothing is drawn from the global stream
    other.data("digits")
    for name in (f"runs/{RESNET}/3/0.1/0+1/0+1.json", f"runs/{RESNET}/3/0.1/0+1/2+3.json"):
        other.train(name)
        assert (other.root / name).read_bytes() == (tiny.root / name).read_bytes()
    assert (other.root / "data/digits.json").read_bytes() == (
        tiny.root / "data/digits.json"
    ).read_bytes()


def test_a_segment_whose_beginning_is_lost_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    other = Tiny(tmp_path / "study")
    shutil.copytree(tiny.root / "data", other.root / "data")
    with pytest.raises(ManifestError, match=r"0\+1\.zarr: no weights"):
        other.train(f"runs/{MLP}/3/13/0+1/2+3.json")
    assert not (other.root / f"runs/{MLP}/3/13/0+1/2+3.zarr").exists()


@pytest.mark.parametrize("name", ["digits", "turned"])
def test_a_data_set_is_stored_as_labelled(tiny: Tiny, name: str) -> None:
    manifest = tiny.root / f"data/{name}.json"
    with xr.open_zarr(store_of(manifest), mask_and_scale=False) as found:
        xr.testing.assert_equal(found.load(), labelled(tiny.study.data[name]))
    verify(manifest)
    assert read_manifest(manifest)["spec"]["name"] == name


def result(tiny: Tiny, zoo: str, group: str) -> xr.Dataset:
    return measurements.read(tiny.root / f"results/{zoo}/{group}.nc")


def asked_for(tiny: Tiny, zoo: str, group: str) -> dict[str, Variable]:
    """The variables of a group whose families the zoo measures, on axes that have values."""
    families = {family.family for family in tiny.study.zoos[zoo].families}
    empty = {"layer", "quadrature"}  # no layers and no density are asked for
    empty |= {"alignment", "correction", "soup", "baseline", "sweep"}  # no arms
    empty |= {"outputs", "bin", "recipe", "checkpoint", "unit"}  # nor what they may add
    return {
        n: v
        for n, v in VARIABLES.items()
        if v.group == group and v.family in families and not empty & set(v.dims)
    }


@pytest.mark.parametrize("zoo", [MLP, RESNET])
@pytest.mark.parametrize("group", ["metrics", "merging", "transfer"])
def test_results_hold_every_measurement_at_its_labels(tiny: Tiny, zoo: str, group: str) -> None:
    whole = result(tiny, zoo, group)
    schema.check(whole, asked_for(tiny, zoo, group))
    parts = tiny.all_there(tiny.plan.measurements(group)(_At(zoo)))
    metrics = {MLP: 2 * 10, RESNET: 2 * 5}[zoo]  # loads; every family at each of its epochs
    assert len(parts) == {"metrics": metrics, "merging": 2, "transfer": 2}[group]
    for path in parts:
        part = measurements.read(path)
        for name in part.data_vars:
            at = {dim: part[dim].values for dim in part[name].dims}
            np.testing.assert_array_equal(whole[name].sel(at), part[name])


class _At:
    def __init__(self, zoo: str) -> None:
        self.zoo = zoo


def test_results_say_what_their_axes_are(tiny: Tiny) -> None:
    found = result(tiny, RESNET, "metrics")
    assert found["load"].attrs["hyperparameter"] == "width"
    assert found["temperature"].attrs["direction"] == "temperature grows as learning_rate grows"
    assert found["temperature"].values.tolist() == [0.1, 1e11]
    assert found["train_loss"].attrs["units"] == "1"


@pytest.mark.parametrize(
    ("zoo", "name", "of", "purpose"),
    [
        (MLP, "hessian_trace", "train", "hessian"),
        (RESNET, "hessian_eigenvalues", "train", "hessian"),
        (RESNET, "cka", "test", "similarity"),
        (MLP, "squared_gradient", "train", "noise"),
        (MLP, "learning_coefficient", "train", "learning coefficient"),
    ],
)
def test_a_published_variable_says_on_which_samples_it_was_measured(
    tiny: Tiny, zoo: str, name: str, of: Set, purpose: str
) -> None:
    task = read_task(tiny.root / f"data/{tiny.zoo(zoo).dataset}.json", torch.device("cpu"))
    family = VARIABLES[name].family
    asked = next(f for f in tiny.zoo(zoo).families if f.family == family)
    sample = task.sample(of, asked.samples, purpose)  # type: ignore[union-attr]
    published = open_zoo(tiny.root / f"zoos/{zoo}.zarr").metrics
    for found in (result(tiny, zoo, "metrics"), published):
        np.testing.assert_array_equal(sample_indices(found[name]), sample.indices)
        for other in ("test_loss", "l2_distance", "hessian_trace_test"):  # no sample of a set
            assert "sample" not in found[other].attrs
    parts = tiny.plan.measurements("metrics")(_At(zoo))
    (said,) = {
        measurements.read(tiny.root / part).attrs[f"sample_{of}"]
        for part in parts
        if part.endswith(f"/{family}.nc")
    }
    assert said == sample.text


def test_what_diverged_is_told_from_what_was_not_measured(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = deepcopy(STUDY)
    given["zoos"][RESNET]["seeds"] = [[0, 1], [2, 3]]  # the second block is still to be made
    root = tmp_path / "study"
    shutil.copytree(tiny.root, root)
    grown = Tiny(root, given)
    there = [p for p in grown.plan.measurements("metrics")(_At(RESNET)) if "/0+1/" in p]
    monkeypatch.setattr(jobs.CollectJob, "parts", lambda job: there)
    metrics = measurements.read(grown.collect(RESNET, "metrics"))
    status = metrics["status"].sel(epoch=3)
    assert (status.sel(temperature=1e11, seed=[0, 1]) == Status.DIVERGED).all()
    assert (status.sel(temperature=0.1, seed=[0, 1]) == Status.TRAINED).all()
    assert (status.sel(seed=[2, 3]) == Status.NEVER_TRAINED).all()
    assert metrics["train_loss"].sel(seed=[2, 3]).isnull().all()
    assert metrics["cka"].sel(pair="2-3").isnull().all()
    phases = measurements.read(grown.phases(RESNET))
    assert (phases["models"].sel(temperature=0.1) == 2).all()


@pytest.mark.parametrize("zoo", [MLP, RESNET])
def test_phases_are_those_of_the_criteria(tiny: Tiny, zoo: str) -> None:
    metrics = result(tiny, zoo, "metrics").sel(epoch=[3])  # the only epoch with measured pairs
    expected = classify_phases(metrics, tiny.zoo(zoo).phases)
    found = result(tiny, zoo, "phases")
    assert found["epoch"].values.tolist() == [3]
    for name in ("phase", "models", "diverged", "train_loss_of_cell", "cka_of_cell"):
        np.testing.assert_array_equal(found[name], expected[name])
    report = json.loads((tiny.root / f"results/{zoo}/phases.json").read_text())
    assert report["criteria"] == tiny.zoo(zoo).phases.model_dump()
    told = coverage(found.sel(epoch=3), tiny.zoo(zoo).phases)
    rows = report["epochs"]["3"].pop("sensitivity")
    assert report["epochs"] == {"3": told}
    assert len(rows) == len(FACTORS) * len(report["thresholds"])


@pytest.mark.parametrize("zoo", [MLP, RESNET])
def test_the_report_reads_what_the_labelling_told(tiny: Tiny, zoo: str) -> None:
    told = read_json(tiny.root / f"results/{zoo}/phases.json")
    found = Labelling.of(told)
    assert found.criteria == tiny.zoo(zoo).phases
    assert asdict(found.epochs[3]) == told["epochs"]["3"]
    assert {n: asdict(t) for n, t in found.thresholds.items()} == told["thresholds"]
    assert found.notes == told["notes"]


def test_diverged_cells_are_missing_and_their_models_counted(tiny: Tiny) -> None:
    found = result(tiny, RESNET, "phases").sel(epoch=3)
    hot, mild = found.sel(temperature=1e11), found.sel(temperature=0.1)
    assert (hot["phase"] == Phase.MISSING).all()
    assert (hot["diverged"] == 2).all()
    assert (hot["models"] == 0).all()
    assert (mild["phase"] != Phase.MISSING).all()
    assert (mild["diverged"] == 0).all()
    assert (
        json.loads((tiny.root / f"results/{RESNET}/phases.json").read_text())["epochs"]["3"][
            "missing"
        ]
        == 2
    )


def test_a_zoo_whose_models_all_diverged_has_its_cells_and_they_are_missing(
    tiny: Tiny, tmp_path: Path
) -> None:
    root = tmp_path / "study"
    shutil.copytree(tiny.root / "results", root / "results")
    metrics = result(tiny, RESNET, "metrics")
    for name, values in metrics.data_vars.items():
        if values.dtype.kind == "f":
            metrics[name] = values.where(False).astype("float32").assign_attrs(values.attrs)
    metrics["status"][:] = Status.DIVERGED
    allowed = asked_for(tiny, RESNET, "metrics")
    measurements.write(root / f"results/{RESNET}/metrics.nc", metrics, allowed)
    found = measurements.read(Tiny(root).phases(RESNET))
    assert found["epoch"].values.tolist() == [3]
    assert (found["phase"] == Phase.MISSING).all()
    assert (found["diverged"] == 2).all()
    report = json.loads((root / f"results/{RESNET}/phases.json").read_text())["epochs"]["3"]
    assert (report["cells"], report["missing"]) == (4, 4)


@pytest.mark.parametrize("step", ["collect", "phases", "learning", "publish"])
def test_the_same_inputs_give_the_same_bytes(tiny: Tiny, tmp_path: Path, step: str) -> None:
    root = tmp_path / "study"
    shutil.copytree(tiny.root, root)
    other = Tiny(root)
    made = {
        "collect": lambda: [other.collect(RESNET, "merging")],
        "phases": lambda: [other.phases(RESNET), root / f"results/{RESNET}/phases.json"],
        "learning": lambda: [other.learning(MLP)],
        "publish": lambda: [other.publish(RESNET)],
    }[step]()
    for path in made:
        assert path.read_bytes() == (tiny.root / path.relative_to(root)).read_bytes()


def test_publishing_leaves_the_training_jobs_as_their_manifests_say(tiny: Tiny) -> None:
    for zoo in (MLP, RESNET):
        for manifest in (tiny.root / "runs" / zoo).rglob("*.json"):
            if ".zarr" not in str(manifest) and "provenance" not in manifest.name:
                verify(manifest)
        verify(tiny.root / f"zoos/{zoo}.json")

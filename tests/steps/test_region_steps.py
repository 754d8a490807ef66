"""A region study made by its steps alone: what is tuned, measured and joined is what it says."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import xarray as xr

from phasezoo import paths
from phasezoo.cost import cost_of_regions
from phasezoo.data.inputs import inputs_of
from phasezoo.models.build import build
from phasezoo.models.flat import load_weights, parameter_layout
from phasezoo.models.size import size_of
from phasezoo.plan import Plan
from phasezoo.spec import jobs, study_from
from phasezoo.spec.architecture import Mlp
from phasezoo.spec.region_fit import tuned_architecture
from phasezoo.spec.region_jobs import JoinRegionsJob, MeasureRegionsJob, TuneJob
from phasezoo.spec.training_jobs import training_job
from phasezoo.steps.collect_regions import collect_regions
from phasezoo.steps.data import data
from phasezoo.steps.measure_regions import measure_regions
from phasezoo.steps.region_start import RegionError, start_of
from phasezoo.steps.train import train
from phasezoo.steps.tune_regions import tune_regions
from phasezoo.store import measurements
from phasezoo.store.audit import State, audit
from phasezoo.store.dataset import read_task
from phasezoo.store.tuned import read_tuned
from phasezoo.store.weights import Block
from phasezoo.transfer.regions.probes import probed
from phasezoo.vocabulary import Status
from regions_study import NAME, REGIONS, given

CPU = torch.device("cpu")
ARCHITECTURE = Mlp(name="mlp", hidden_layers=1, width=7)


class Made:
    """The study in a folder."""

    def __init__(self, root: Path, gpus: int = 0) -> None:
        self.root, self.plan, self.gpus = root, Plan(study_from(given())), gpus

    def at(self, **labels: str) -> SimpleNamespace:
        return SimpleNamespace(regions=NAME, **labels)

    def path(self, relative: str) -> Path:
        return self.root / relative

    def tune(self, manifest: str, output: Path | None = None) -> Path:
        _, _, _, start, dataset, block = manifest.removesuffix(".json").split("/")
        w = self.at(start=start, dataset=dataset, block=block)
        job = TuneJob.model_validate_json(self.plan.tune_job(w))
        read = [self.plan.start_data(w), self.plan.start_weights(w), self.plan.target_data(w)]
        output = output or self.path(manifest)
        tune_regions(job, *map(self.path, read), output, self.gpus)
        return output

    def measure(self, dataset: str, output: Path | None = None) -> Path:
        w = self.at(dataset=dataset)
        job = MeasureRegionsJob.model_validate_json(self.plan.measure_regions_job(w))
        read = [self.plan.start_data(w), self.plan.start_weights(w), self.plan.target_data(w)]
        weights = [self.path(path) for path in self.plan.tuned_weights(w)]
        output = output or self.path(paths.MEASURED_ON.format(regions=NAME, dataset=dataset))
        measure_regions(job, *map(self.path, read), weights, output, self.gpus)
        return output

    def collect(self) -> Path:
        output = self.path(paths.REGIONS.format(regions=NAME))
        job = JoinRegionsJob.model_validate_json(self.plan.join_regions_job(self.at()))
        collect_regions(job, self.root, output)
        return output

    def make(self) -> None:
        for name in self.plan.data_of_regions(NAME):
            spec = self.plan.study.data[name]
            manifest = self.path(paths.DATA_MANIFEST.format(dataset=name))
            data(jobs.DataJob(name=name, spec=spec), manifest)
        for manifest in self.plan.starts_of(NAME):
            _, zoo, load, temperature, block, segment = manifest.removesuffix(".json").split("/")
            w = SimpleNamespace(
                zoo=zoo, load=load, temperature=temperature, block=block, segment=segment
            )
            before = [self.path(path) for path in self.plan.resumed(w)]
            told = training_job(self.plan.train_job(w))
            train(told, self.path(self.plan.data_of(w)), before, self.path(manifest), self.gpus)
        for manifest in self.plan.tuned_of(NAME):
            self.tune(manifest)
        for dataset in self.plan.study.regions[NAME].datasets:
            self.measure(dataset)
        self.collect()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    study = Made(tmp_path_factory.mktemp("regions"))
    study.make()
    return study


@pytest.fixture(scope="module")
def joined(made: Made) -> xr.Dataset:
    return measurements.read(made.path(paths.REGIONS.format(regions=NAME)))


def test_everything_declared_is_there_and_whole(made: Made) -> None:
    declared = list(made.plan.of_regions(NAME))
    found = audit(made.root, declared, declared, ["regions", "results"])
    assert found.findings == []
    assert found.checked == 5 + 2 + 2 * 4 + 4 + 1


@pytest.mark.parametrize("kind", ["tuned", "measured", "results"])
def test_a_flipped_bit_is_found(made: Made, kind: str) -> None:
    folder = made.path("results") if kind == "results" else made.path(f"regions/{NAME}/{kind}")
    file = max((p for p in folder.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    whole = file.read_bytes()
    try:
        spoiled = bytearray(whole)
        spoiled[len(whole) // 2] ^= 4
        file.write_bytes(bytes(spoiled))
        declared = list(made.plan.of_regions(NAME))
        (finding,) = audit(made.root, declared, declared, []).findings
        assert finding.state is State.ALTERED
    finally:
        file.write_bytes(whole)


def test_files_and_bytes_were_counted(made: Made) -> None:
    study = made.plan.study
    architecture = tuned_architecture(study.regions[NAME], study.zoos)
    datasets = study.regions[NAME].datasets
    sizes = {d: size_of(architecture, inputs_of(study.data[d])) for d in datasets}
    found = cost_of_regions(made.plan, NAME, sizes)
    folders = (made.path(f"regions/{NAME}"), made.path(f"results/{NAME}"))
    files = [p for folder in folders for p in folder.rglob("*") if p.is_file()]
    assert found.files == len(files)
    assert found.models == 2 * 4 * 2
    assert found.jobs == 4 + 8 + 4 + 1
    stores = made.path(f"regions/{NAME}/tuned").rglob("*.zarr")
    assert found.bytes == sum(xr.open_zarr(store)["parameters"].nbytes for store in stores)


def test_tuned_models_are_read_by_name_with_plain_xarray(made: Made) -> None:
    manifest = made.plan.tuned_of(NAME)[0]
    store = xr.open_zarr(made.path(manifest).with_suffix(".zarr"), consolidated=True)
    assert json.loads(store.attrs["spec"])["dataset"] == "parity-0"
    vector = store["parameters"].sel(seed=1, epoch=2).values.ravel()
    place = store.sel(tensor="head.weight")
    offset, shape = int(place["tensor_offset"]), place["tensor_shape"].values
    assert tuple(shape) == (2, 7)
    tuned = read_tuned(made.path(manifest))[1]
    layout = parameter_layout(build(ARCHITECTURE, (1, 8, 8), 2))
    head = layout.unflatten(tuned.weights.parameters)["head.weight"]
    assert np.array_equal(vector[offset : offset + 14].reshape(2, 7), head)


def test_the_start_is_the_declared_model(made: Made) -> None:
    w = made.at(dataset="size-0")
    job = MeasureRegionsJob.model_validate_json(made.plan.measure_regions_job(w))
    weights = made.path(made.plan.start_weights(w))
    start = start_of(job.start, None, weights, made.path("data/digits.json"))
    stored = Block.of_cell(weights, "7", "53").weights(1, 2)
    assert torch.equal(start.weights.parameters, stored.parameters)
    assert start.classes == 10


def test_a_start_that_diverged_is_refused(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Block, "status", lambda *_: Status.DIVERGED)
    with pytest.raises(RegionError, match="seed=1, which diverged; allowed: one that lives"):
        made.measure("size-0", made.path("elsewhere.nc"))


def test_tuning_twice_makes_the_same_bytes(made: Made) -> None:
    manifest = made.plan.tuned_of(NAME)[3]
    again = made.tune(manifest, made.path("again/0+1.json"))
    first, second = (json.loads(p.read_text()) for p in (made.path(manifest), again))
    assert first == second


def test_measuring_twice_makes_the_same_bytes(made: Made) -> None:
    path = made.path(paths.MEASURED_ON.format(regions=NAME, dataset="size-90"))
    again = made.measure("size-90", made.path("again/size-90.nc"))
    assert again.read_bytes() == path.read_bytes()


def test_cosines_are_those_of_the_stored_weights(made: Made, joined: xr.Dataset) -> None:
    """From the files alone: tuned minus pre-trained weights of the two hidden layers' tensors."""
    starts = {
        name: Block.of_cell(made.path(weights), "7", "53").weights(seed, 2).parameters.double()
        for name, seed, weights in (
            ("start", 1, "runs/digits-mlp/7/53+101/0+1/2.json"),
            ("other_start", 0, "runs/digits-mlp/7/53+101/0+1/2.json"),
        )
    }
    body = 64 * 7 + 7  # the one hidden layer
    vectors = {}
    for start, dataset, seed in product(starts, ("parity-0", "size-90"), (0, 1)):
        manifest = paths.TUNED_MANIFEST.format(
            regions=NAME, start=start, dataset=dataset, block="0+1"
        )
        tuned = read_tuned(made.path(manifest))[seed].weights.parameters.double()
        vectors[start, dataset, seed] = (tuned[:body] - starts[start][:body]).numpy()
    for (one, v), (other, w) in product(vectors.items(), repeat=2):
        at = dict(zip(("start", "dataset", "seed"), one, strict=True))
        at |= dict(zip(("other_start", "other_dataset", "other_seed"), other, strict=True))
        expected = v @ w / np.linalg.norm(v) / np.linalg.norm(w)
        assert float(joined["task_vector_cosine"].sel(at)) == pytest.approx(expected, abs=1e-6)


def test_own_errors_are_those_of_the_stored_models(made: Made, joined: xr.Dataset) -> None:
    task = read_task(made.path("data/parity-90.json"), CPU)
    manifest = paths.TUNED_MANIFEST.format(
        regions=NAME, start="start", dataset="parity-90", block="0+1"
    )
    for model in read_tuned(made.path(manifest)):
        module = build(ARCHITECTURE, (1, 8, 8), 2)
        load_weights(module, model.weights)
        wrong = (module(task.test_inputs).argmax(1) != task.test_labels).double().mean()
        at = {"dataset": "parity-90", "seed": model.seed}
        assert float(joined["tuned_test_error"].sel(at)) == pytest.approx(float(wrong))


def test_members_inside_are_the_tuned_models(made: Made, joined: xr.Dataset) -> None:
    w = made.at(dataset="size-90")
    job = MeasureRegionsJob.model_validate_json(made.plan.measure_regions_job(w))
    start = start_of(
        job.start, None, made.path(made.plan.start_weights(w)), made.path("data/digits.json")
    )
    manifest = paths.TUNED_MANIFEST.format(
        regions=NAME, start="start", dataset="size-90", block="0+1"
    )
    bodies = torch.stack([start.body_of(m.weights, 2) for m in read_tuned(made.path(manifest))])
    expected = probed(start, bodies, read_task(made.path("data/size-90.json"), CPU), 0.01)
    found = joined["probe_loss"].sel(dataset="size-90", level="dataset", group="in")
    assert np.allclose(found.values[:2], expected.loss, rtol=1e-5)
    assert found.isnull().values[2:].all()


def test_groups_have_as_many_members_as_there_are_models(joined: xr.Dataset) -> None:
    there = (joined["probe_converged"] >= 0).sum("member")
    assert set(there.sel(level="dataset").values.ravel().tolist()) == {2}
    assert set(there.sel(level="family").values.ravel().tolist()) == {4}
    assert set(there.sel(level="general").values.ravel().tolist()) == {5}  # the most


def test_gains_are_paired_differences_and_counts_add_up(joined: xr.Dataset) -> None:
    errors = joined["efficient_test_error"]
    gains = (errors.sel(arm="pre-trained") - errors).mean("draw")
    gains = gains.transpose(*joined["efficient_gain"].dims)
    arms = [arm for arm in errors["arm"].values if arm != "pre-trained"]
    found = joined["efficient_gain"]
    assert np.allclose(found.sel(arm=arms), gains.sel(arm=arms), atol=1e-6)
    assert joined["efficient_gain"].sel(arm="pre-trained").isnull().all()
    assert np.allclose(
        joined["overall_gain"].sel(arm=arms), gains.sel(arm=arms).mean("dataset"), atol=1e-6
    )
    counts = sum(joined[f"datasets_{what}"].sel(arm=arms) for what in ("won", "tied", "lost"))
    assert (counts == 4).all()
    holm, p = joined["overall_gain_p_holm"], joined["overall_gain_p"]
    assert ((holm >= p) | p.isnull()).all()


def test_gains_of_families_are_means_of_their_data_sets(joined: xr.Dataset) -> None:
    assert joined["families"].values.tolist() == ["parity", "size"]
    for family in joined["families"].values:
        of = joined["efficient_gain"].sel(dataset=joined["family"] == family).mean("dataset")
        assert np.allclose(joined["family_gain"].sel(families=family), of, 1e-5, 1e-7, True)


def test_groups_are_compared_by_loss_and_by_error(joined: xr.Dataset) -> None:
    at = {"dataset": "size-90", "level": "dataset"}
    for name, scores in (
        ("better_probability", "probe_loss"),
        ("better_probability_error", "probe_error"),
    ):
        of = joined[scores].sel(at).dropna("member")
        first, second = of.sel(group="in").values[:, None], of.sel(group="ex").values
        expected = (first < second).mean() + (first == second).mean() / 2
        found = joined[name].sel({**at, "comparison": "in before ex"})
        assert float(found) == pytest.approx(expected, abs=1e-6)
        mean = joined[name].mean("dataset").transpose(*joined[f"mean_{name}"].dims)
        assert np.allclose(joined[f"mean_{name}"], mean, 1e-5, equal_nan=True)
        assert (joined[f"mean_{name}_low"] <= joined[f"mean_{name}_high"]).all()


def test_knowing_nothing_costs_the_logarithm_of_the_classes(made: Made, joined: xr.Dataset) -> None:
    tasks = [read_task(made.path(f"data/{name}.json"), CPU) for name in joined["dataset"].values]
    expected = [np.log(len(task.train_labels.unique())) for task in tasks]
    assert np.allclose(joined["uniform_loss"], expected)


def test_labels_of_families_are_permuted_over_data_sets(joined: xr.Dataset) -> None:
    """Two and two of four data sets: there are three ways, the true one among them."""
    p = joined["one_to_one_accuracy_p"].sel(grouping=["family", "domain"]).values
    assert np.allclose(3 * p, np.round(3 * p), atol=1e-5)
    assert (p > 0.3).all()


def test_a_scale_of_one_is_the_centroid(joined: xr.Dataset) -> None:
    errors, scale = joined["efficient_test_error"], joined["chosen_scale"]
    assert set(np.unique(scale)) <= {0.5, 1.0}
    one = scale == 1
    assert one.any()
    same = errors.sel(arm="scaled") == errors.sel(arm="centroid")
    assert same.where(one, True).all()


def test_clusters_have_scores_for_all_kinds_of_labels(joined: xr.Dataset) -> None:
    assert list(joined["grouping"].values) == ["dataset", "family", "domain", "start"]
    scores = joined["clustering_accuracy"]
    assert ((scores >= 0) & (scores <= 1)).all()
    told = joined["label_f1"].notnull().sum("label").isel(clustering=0)
    assert told.values.tolist() == [4, 2, 2, 2]
    assert (joined["clusters_found"].sel(grouping="dataset", clustering="spectral") == 4).all()


def test_results_say_what_they_are_of(joined: xr.Dataset) -> None:
    assert joined.attrs["title"] == REGIONS["title"]
    assert joined["family"].values.tolist() == ["parity", "parity", "size", "size"]
    assert joined["domain"].values.tolist() == ["upright", "turned", "upright", "turned"]
    assert joined.attrs["started_from"].endswith("width=7 batch_size=53 seed=1 epoch=2")
    assert joined["alpha"].values.tolist() == [-31, -1, 0, 0.5, 1, 2, 32]

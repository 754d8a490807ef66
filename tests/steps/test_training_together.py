"""Cells that one job trains are, to the byte, those that jobs of their own would train."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import asdict
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

import phasezoo.steps.train as training
import phasezoo.training.population as population
from phasezoo import paths
from phasezoo.cost import cost_of
from phasezoo.data.inputs import inputs_of
from phasezoo.models.size import sizes_of
from phasezoo.store import measurements
from phasezoo.store.manifest import read_manifest, store_of, tree_of, verify
from phasezoo.store.whole import DRAFT, write_json
from phasezoo.training.checkpoint import Checkpoint
from steps.tiny import MLP, RESNET, STUDY, Tiny

SEGMENTS = ("0+1", "2+3")
LOADS = {MLP: ("3", "7"), RESNET: ("2", "3")}
HEATS = {MLP: ("13", "31"), RESNET: ("0.1", "100000000000")}


def declared(*together: str) -> dict:
    """The study with its loads in one share, as its temperatures are."""
    given = deepcopy(STUDY)
    for name, zoo in given["zoos"].items():
        zoo["load"]["values"] = [[int(load) for load in LOADS[name]]]
        zoo["training"]["together"] = list(together)
    return given


def study(root: Path, tiny: Tiny, *together: str) -> Tiny:
    """A study in a folder of its own, with the data sets there."""
    shutil.copytree(tiny.root / "data", root / "data")
    return Tiny(root, declared(*together))


def weights(made: Tiny, zoo: str) -> list[str]:
    return made.plan.weights_of(zoo)


def alone(tiny: Tiny, zoo: str, load: str, heat: str, segment: str) -> Path:
    return tiny.root / f"runs/{zoo}/{load}/{heat}/0+1/{segment}.zarr"


@pytest.fixture(scope="module")
def together(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Both zoos, trained by one job a segment."""
    made = study(tmp_path_factory.mktemp("together") / "study", tiny, "load", "temperature")
    for zoo in (MLP, RESNET):
        for manifest in weights(made, zoo):
            made.train(manifest)
    return made


@pytest.mark.parametrize("zoo", [MLP, RESNET])
def test_every_cell_is_the_store_of_a_job_of_its_own(together: Tiny, tiny: Tiny, zoo: str) -> None:
    loads, heats = "+".join(LOADS[zoo]), "+".join(HEATS[zoo])
    wanted = [f"runs/{zoo}/{loads}/{heats}/0+1/{segment}.json" for segment in SEGMENTS]
    assert weights(together, zoo) == wanted
    for load, heat, segment in product(LOADS[zoo], HEATS[zoo], SEGMENTS):
        store = together.root / f"runs/{zoo}/{loads}/{heats}/0+1/{segment}.zarr"
        assert tree_of(store / load / heat) == tree_of(alone(tiny, zoo, load, heat, segment))
        verify(store.with_suffix(".json"))


@pytest.mark.parametrize(
    ("axes", "first"),
    [(["temperature"], "3/13+31"), (["load"], "3+7/13"), ([], "3/13")],
    ids=["temperature", "load", "none"],
)
def test_shares_go_together_along_the_axes_that_are_named(
    tiny: Tiny, tmp_path: Path, axes: list[str], first: str
) -> None:
    made = study(tmp_path / "study", tiny, *axes)
    manifest = weights(made, MLP)[0]
    assert manifest == f"runs/{MLP}/{first}/0+1/0+1.json"
    store = store_of(made.train(manifest))
    assert tree_of(paths.inside(store, "3", "13")) == tree_of(alone(tiny, MLP, "3", "13", "0+1"))


def test_a_share_of_one_cell_is_trained_as_a_cell(tiny: Tiny, tmp_path: Path) -> None:
    given = declared("load", "temperature")
    for axis in ("load", "temperature"):
        (values,) = given["zoos"][MLP][axis]["values"]
        given["zoos"][MLP][axis]["values"] = [[value] for value in values]
    made = Tiny(tmp_path / "study", given)
    shutil.copytree(tiny.root / "data", made.root / "data")
    manifest = f"runs/{MLP}/3/13/0+1/0+1.json"
    assert manifest in weights(made, MLP)
    assert made.train(manifest).read_bytes() == (tiny.root / manifest).read_bytes()


def at(zoo: str) -> SimpleNamespace:
    return SimpleNamespace(zoo=zoo)


@pytest.fixture(scope="module")
def published(together: Tiny) -> Tiny:
    """The perceptrons, measured and published from there."""
    for group in together.plan.groups(together.zoo(MLP)):
        for path in together.plan.measurements(group)(at(MLP)):
            together.measure(path)
        together.collect(MLP, group)
    together.phases(MLP)
    together.learning(MLP)
    together.explained(MLP)
    together.publish(MLP)
    return together


@pytest.mark.parametrize("group", ["metrics", "merging", "transfer"])
def test_what_is_measured_is_what_was_measured(published: Tiny, tiny: Tiny, group: str) -> None:
    found, expected = (
        measurements.read(made.root / f"results/{MLP}/{group}.nc") for made in (published, tiny)
    )
    # models of one load are measured together in either study, so that nothing may differ
    xr.testing.assert_identical(found, expected)


def test_the_published_weights_are_those_of_jobs_of_their_own(published: Tiny, tiny: Tiny) -> None:
    stores = [made.root / f"zoos/{MLP}.zarr" for made in (published, tiny)]
    assert tree_of(stores[0] / "weights") == tree_of(stores[1] / "weights")


def test_publishing_links_the_shards_of_every_cell(published: Tiny) -> None:
    shards = (published.root / f"zoos/{MLP}.zarr/weights").rglob("c/*/*/*/*")
    of_weights = [p for p in shards if p.is_file() and "parameters" in p.parts]
    assert len(of_weights) == 2 * 2 * 4  # loads, temperatures, epochs
    assert all(path.stat().st_nlink == 2 for path in of_weights)


def test_every_file_was_counted(published: Tiny) -> None:
    zoo = published.zoo(MLP)
    inputs = inputs_of(published.study.data[zoo.dataset])
    assert inputs is not None
    cost = cost_of(published.plan, MLP, sizes_of(zoo, inputs, zoo.load.all_values))
    folders = (published.root / kind / MLP for kind in ("runs", "measured", "results"))
    assert cost.files == sum(path.is_file() for folder in folders for path in folder.rglob("*"))
    outputs = [p for p in published.plan.of_zoo(MLP) if p.endswith((".nc", ".json"))]
    assert cost.jobs == len(outputs) - 1  # labels come with their coverage


class StopError(Exception):
    """What happens to a job."""


def stopped(made: Tiny, manifest: str, after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that fails when some of its models are trained."""
    train, begun = population.train, []

    def fails(*given: object) -> Iterator[Checkpoint]:
        begun.append(given)
        if len(begun) > after:
            raise StopError
        return train(*given)

    with monkeypatch.context() as patch:
        patch.setattr(population, "train", fails)
        with pytest.raises(StopError):
            made.train(manifest)


def trained_now(made: Tiny, manifest: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Models that a job trains."""
    train, begun = population.train, []

    def counted(*given: object) -> Iterator[Checkpoint]:
        begun.append(given)
        return train(*given)

    with monkeypatch.context() as patch:
        patch.setattr(population, "train", counted)
        made.train(manifest)
    return len(begun)


def leftovers(manifest: Path) -> list[Path]:
    return list(manifest.parent.rglob(f"*{DRAFT}*"))


JOB = f"runs/{MLP}/3+7/13+31/0+1/0+1.json"


@pytest.fixture
def begun(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tiny:
    """A study whose first job failed at its sixth model of eight, in its third cell of four."""
    made = study(tmp_path / "study", tiny, "load", "temperature")
    stopped(made, JOB, 5, monkeypatch)
    return made


def test_a_job_that_failed_goes_on_from_the_cells_it_finished(
    begun: Tiny, together: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not (begun.root / JOB).exists()
    assert not store_of(begun.root / JOB).exists()
    assert trained_now(begun, JOB, monkeypatch) == 4
    assert (begun.root / JOB).read_bytes() == (together.root / JOB).read_bytes()
    assert leftovers(begun.root / JOB) == []
    verify(begun.root / JOB)


def test_a_finished_cell_that_was_altered_is_trained_again(
    begun: Tiny, together: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    shard = next((begun.root / JOB).parent.glob(f".*{DRAFT}*/3/13/*/parameters/c/0/0/1/0"))
    shard.write_bytes(shard.read_bytes()[:-1])
    assert trained_now(begun, JOB, monkeypatch) == 6
    assert (begun.root / JOB).read_bytes() == (together.root / JOB).read_bytes()


@pytest.mark.parametrize("other", ["recipe", "code", "versions", "device", "data"])
def test_cells_that_were_trained_otherwise_are_not_taken(
    begun: Tiny, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    changed = begun
    match other:
        case "recipe":
            given = declared("load", "temperature")
            given["zoos"][MLP]["recipe"] = 2
            changed = Tiny(begun.root, given)
        case "data":
            path = begun.root / "data/digits.json"
            (store_of(path) / "note").write_text("made otherwise")
            write_json(path, {**read_manifest(path), "tree": asdict(tree_of(store_of(path)))})
        case "code":
            monkeypatch.setattr(training, "code_digest", lambda step: "another")
        case "versions":
            monkeypatch.setattr("phasezoo.store.partial.versions", lambda: {"torch": "another"})
        case "device":
            monkeypatch.setattr(training, "name_of", lambda device: "another")
    assert trained_now(changed, JOB, monkeypatch) == 8
    assert leftovers(begun.root / JOB) == []  # neither what could not be used


def test_a_job_that_was_killed_goes_on_from_the_cells_it_finished(
    tiny: Tiny, together: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = study(tmp_path / "study", tiny, "load", "temperature")
    at_job = SimpleNamespace(zoo=MLP, load="3+7", temperature="13+31", block="0+1", segment="0+1")
    code = (
        "import os, signal\n"
        "from pathlib import Path\n"
        "import phasezoo.steps.train as training\n"
        "from phasezoo.spec.training_jobs import training_job\n"
        "write, done = training._write, []\n"
        "def killed(*given):\n"
        "    done.append(write(*given))\n"
        "    if len(done) == 3: os.kill(os.getpid(), signal.SIGKILL)\n"
        "training._write = killed\n"
        f"job = training_job({made.plan.train_job(at_job)!r})\n"
        f"training.train(job, Path('data/digits.json'), [], Path({JOB!r}), 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=made.root, check=False)
    assert done.returncode == -signal.SIGKILL
    assert trained_now(made, JOB, monkeypatch) == 4  # the third cell was written, and not yet kept
    assert (made.root / JOB).read_bytes() == (together.root / JOB).read_bytes()


def test_a_job_goes_on_although_nothing_can_be_kept_or_linked(
    begun: Tiny, together: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("phasezoo.store.partial.link_tree", full)
    assert trained_now(begun, JOB, monkeypatch) == 8
    assert (begun.root / JOB).read_bytes() == (together.root / JOB).read_bytes()


def test_cells_are_kept_as_copies_where_links_are_impossible(
    tiny: Tiny, together: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*given: object) -> None:
        raise OSError(1, "Operation not permitted")

    # zarr has links of its own to make
    monkeypatch.setattr("phasezoo.store.links.os", SimpleNamespace(link=refuses))
    made = study(tmp_path / "study", tiny, "load", "temperature")
    stopped(made, JOB, 5, monkeypatch)
    assert trained_now(made, JOB, monkeypatch) == 4
    assert (made.root / JOB).read_bytes() == (together.root / JOB).read_bytes()


def test_the_log_says_what_is_done_and_what_is_left(
    begun: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(training, "say", said.append)
    monkeypatch.setattr("phasezoo.steps.log.say", said.append)
    begun.train(JOB)
    cells = [line for line in said if "cells" in line]
    assert cells[0] == "2 of 4 cells were finished before"
    assert cells[1].startswith("3 of 4 cells, about 0:00:0")
    assert cells[2] == "4 of 4 cells"
    models = {line.split(" epoch")[0] for line in said if " epoch " in line}
    assert len(models) == 4


def test_models_of_one_shape_and_batch_size_are_a_group(together: Tiny) -> None:
    """Batch sizes part the perceptrons; learning rates do not part the residual networks."""
    groups = {zoo: training._groups(_job(together, zoo).cells()) for zoo in (MLP, RESNET)}
    assert [len(group) for group in groups[MLP]] == [1, 1, 1, 1]
    assert [[cell.labels for cell in group] for group in groups[RESNET]] == [
        [(load, heat) for heat in HEATS[RESNET]] for load in LOADS[RESNET]
    ]


def _job(made: Tiny, zoo: str) -> training.TrainShareJob:
    labels = weights(made, zoo)[0].removesuffix(".json").split("/")[1:]
    names = ("zoo", "load", "temperature", "block", "segment")
    told = made.plan.train_job(SimpleNamespace(**dict(zip(names, labels, strict=True))))
    return training.TrainShareJob.model_validate_json(told)


def test_a_cell_of_a_share_is_told_what_it_is_told_alone(together: Tiny, tiny: Tiny) -> None:
    for zoo in (MLP, RESNET):
        for cell in _job(together, zoo).cells():
            load, heat = cell.labels
            manifest = tiny.root / f"runs/{zoo}/{load}/{heat}/0+1/0+1.json"
            assert cell.model_dump(mode="json") == read_manifest(manifest)["spec"]


def test_cells_end_where_their_models_do(together: Tiny) -> None:
    """The hotter residual networks diverge; their neighbours in the job do not."""
    store = store_of(together.root / weights(together, RESNET)[-1])
    for heat, lost in zip(HEATS[RESNET], (False, True), strict=True):
        block = training.Block(paths.inside(store, "2", heat))
        assert np.isnan(block.weights(0, 3).parameters.numpy()).all() == lost

"""A pulled study grows: exactly the new jobs run, and what was there stays as it was."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from copy import deepcopy
from pathlib import Path

import pytest

import phasezoo
from workflow import shared
from workflow.project import Project

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("workflow")]

HESSIAN = {
    **{"epochs": [2], "sets": ["train"], "samples": 50, "eigenvalues": 1, "iterations": 5},
    **{"tolerance": 1e-3, "trace_error": 0.5, "probes": 2},
}
END = Counter(publish=1, report=1)
METRICS = END + Counter(collect_metrics=1, phases=1)
ASKED = METRICS + Counter(explained=1)
COLLECTED = ASKED + Counter(collect_merging=1, collect_transfer=1)
OF_MODELS = Counter(evaluate=1, hessian=1, transfer=1)
OF_PAIRS = Counter(connectivity=1, similarity=1, merging=1)


def times(jobs: Counter, count: int) -> Counter:
    return Counter({rule: jobs[rule] * count for rule in jobs})


def changed(params: dict, **keys: object) -> dict:
    """The spec with keys of the zoo set; dots are written as two underscores."""
    grown = deepcopy(params)
    for path, value in keys.items():
        *folders, last = path.split("__")
        here = grown["zoos"]["tiny"]
        for folder in folders:
            here = here[folder]
        here[last] = value
    return grown


def digests(project: Project) -> dict[str, str]:
    """Every shard and measurement, by path."""
    files = (p for name in ("data", "runs", "measured") for p in (project.root / name).rglob("*"))
    return {
        path.relative_to(project.root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.is_file() and path.name != ".snakemake_timestamp"
    }


SEED_BLOCK = COLLECTED + Counter(train=4) + OF_MODELS + times(OF_PAIRS, 2)
WIDTH = COLLECTED + Counter(train=2) + OF_MODELS + OF_PAIRS
BATCH_SIZE = COLLECTED + Counter(train=2) + OF_MODELS + OF_PAIRS
GROWTH = {
    "a block of seeds": ({"seeds": [[0, 1], [2, 3]]}, SEED_BLOCK),
    "a width": ({"load__values": [[3, 7], 5]}, WIDTH),
    "a batch size": ({"temperature__values": [[20, 50], [33]]}, BATCH_SIZE),
    "later epochs, measured": (
        {"training__checkpoints": [[0, 1, 2], [3, 4]], "metrics__evaluation__epochs": [2, 4]},
        ASKED + Counter(train=4, evaluate=1),
    ),
    "a metric at a saved epoch": (
        {"metrics__similarity__epochs": [1, 2]},
        ASKED + Counter(similarity=1),
    ),
    "another criterion": ({"phases__cka": 0.5}, END + Counter(phases=1, explained=1)),
}


@pytest.mark.parametrize("change", GROWTH)
def test_growth_runs_exactly_the_new_jobs(pulled: Project, params: dict, change: str):
    keys, jobs = GROWTH[change]
    pulled.write(changed(params, **keys))
    try:
        assert pulled.planned() == jobs
    finally:
        pulled.write(params)


@pytest.fixture
def grown(small_origin: Project, tmp_path: Path) -> Project:
    """A clone of the smallest study, pulled, to change and to make."""
    return shared.clone(small_origin, tmp_path / "grown")


SMALL = METRICS + Counter(train=1, evaluate=1)
MADE = {
    "a block of seeds": (
        {"seeds": [[0, 1], [2, 3]]},
        SMALL + Counter(connectivity=2, similarity=2),
    ),
    "a batch size": (
        {"temperature__values": [[20], [10]]},
        SMALL + Counter(connectivity=1, similarity=1),
    ),
    "later epochs, measured": (
        {"training__checkpoints": [[0, 1, 2], [3]], "metrics__evaluation__epochs": [2, 3]},
        SMALL,
    ),
    "a family of metrics": ({"metrics__hessian": HESSIAN}, METRICS + Counter(hessian=1)),
    "what weights tell": (
        {"metrics__statistics": {"epochs": [2]}, "learning": {"epochs": [2]}},
        METRICS + Counter(statistics=1, learning=1),
    ),
}


@pytest.mark.parametrize("change", MADE)
def test_what_was_there_stays_as_it_was(grown: Project, small: dict, change: str):
    keys, jobs = MADE[change]
    before = digests(grown)
    grown.write(changed(small, **keys))
    assert grown.planned() == jobs
    grown.make()
    after = digests(grown)
    assert {path: after[path] for path in before} == before
    assert grown.planned() == Counter()
    assert grown.run("phasezoo", "verify").returncode == 0


def test_a_changed_plot_draws_again(pulled: Project, tmp_path: Path):
    package = tmp_path / "phasezoo"
    shutil.copytree(Path(phasezoo.__file__).parent, package)
    with (package / "report/colours.py").open("a") as file:
        file.write("\nNEW = 1\n")
    assert pulled.planned(code=tmp_path) == Counter(report=1)


def test_changed_training_code_is_told_and_trains_nothing(grown: Project, tmp_path: Path):
    assert "recipe" not in shared.run(grown, "phasezoo", "status")
    package = tmp_path / "phasezoo"
    shutil.copytree(Path(phasezoo.__file__).parent, package)
    with (package / "training/sgd.py").open("a") as file:
        file.write("\nNEW = 1\n")
    assert grown.planned(code=tmp_path) == Counter()
    said = grown.run("phasezoo", "status", code=tmp_path).stdout
    assert "tiny: recipe differs from the one the zoo was made with (1 of 1 blocks)" in said


def test_an_edit_of_the_rule_that_trains_trains_nothing(grown: Project):
    rule = grown.root / "rules/train.smk"
    rule.write_text(rule.read_text().replace("2> {log}", "2>> {log}"))
    assert grown.planned() == Counter()


def test_two_clones_that_grew_apart_become_one_release(
    small_origin: Project, small: dict, tmp_path: Path
):
    here, there = (shared.clone(small_origin, tmp_path / name) for name in ("here", "there"))
    here.write(changed(small, seeds=[[0, 1], [2, 3]]))
    here.make()
    there.write(changed(small, load__values=[3, 5]))
    there.make()

    here.write(changed(small, seeds=[[0, 1], [2, 3]], load__values=[3, 5]))
    before = digests(there) | digests(here)
    # the weights of the new width, and three families of it
    assert "adopted 4 artefacts" in shared.run(here, "phasezoo", "adopt", str(there.root))
    # what neither has: the new seeds of the new width
    assert here.planned() == SMALL + Counter(connectivity=2, similarity=2)
    here.make()
    assert before.items() <= digests(here).items()
    shared.run(here, "dvc", "repro", "-q", "study")
    shared.run(here, "dvc", "push", "-q")
    shared.run(here, "git", "add", "-A")
    shared.run(here, "git", *shared.AUTHOR, "commit", "-qm", "Both")
    reader = shared.clone(here, tmp_path / "reader")
    assert reader.planned() == Counter()
    zoo = phasezoo.open_zoo(reader.root / "zoos/tiny.zarr")
    assert zoo.metrics.train_loss.sel(epoch=2).notnull().all()
    assert (zoo.metrics.sizes["load"], zoo.metrics.sizes["seed"]) == (2, 4)
    assert zoo.metrics.sizes["pair"] == 6
    assert zoo.metrics.l2_distance.sel(epoch=2).notnull().all()


def test_clones_that_contradict_each_other_are_not_mixed(
    small_origin: Project, grown: Project, tmp_path: Path
):
    other = shared.clone(small_origin, tmp_path / "other")
    shard = next((other.root / "runs/tiny/3/20").rglob("parameters/c/0/0/0/0"))
    shard.unlink()  # it may be a link into DVC's cache
    shard.write_bytes(b"another")
    shutil.rmtree(grown.root / "runs/tiny/3/20")
    before = digests(grown)
    done = grown.run("phasezoo", "adopt", str(other.root))
    assert done.returncode == 1
    assert "nothing was copied" in done.stderr
    assert "runs/tiny/3/20/0+1/0+1+2.json: altered" in done.stderr
    assert digests(grown) == before


def test_what_has_no_record_of_its_making_is_not_adopted(
    small_origin: Project, grown: Project, tmp_path: Path
):
    other = shared.clone(small_origin, tmp_path / "other", "data", "runs/tiny", "measured/tiny")
    shutil.rmtree(grown.root / "measured/tiny")
    done = grown.run("phasezoo", "adopt", str(other.root))
    assert done.returncode == 1
    assert "evaluation.nc: no record of how it was made; pull .snakemake/metadata" in done.stderr
    assert not (grown.root / "measured/tiny").exists()


def test_after_a_partial_pull_the_release_cannot_shrink(small_origin: Project, tmp_path: Path):
    made = ("data", "runs/tiny", "results/tiny", "zoos/tiny.json", "zoos/tiny.zarr")
    part = shared.clone(small_origin, tmp_path / "part", *made, ".snakemake/metadata")
    shared.run(part, "dvc", "pull", "-q", "measured/tiny")
    (part.root / "measured/tiny/3/20/0+1/2/similarity.nc").unlink()  # the part of a folder
    lock = (part.root / "dvc.lock").read_text()
    done = part.run("dvc", "repro", "--force", "--single-item", "zoo@tiny")
    said = done.stdout + done.stderr
    assert done.returncode != 0, said
    assert "Nothing to be done" in said  # the workflow does not miss it
    assert "missing: measured/tiny/3/20/0+1/2/similarity.nc" in said
    assert (part.root / "dvc.lock").read_text() == lock


def test_the_zoo_alone_is_enough_for_a_reader(origin: Project, tmp_path: Path):
    reader = shared.clone(origin, tmp_path / "reader", "zoos/tiny.zarr")
    assert not (reader.root / "runs").exists()
    zoo = phasezoo.open_zoo(reader.root / "zoos/tiny.zarr")
    phasezoo.load_model(zoo, width=3, batch_size=20, seed=0, epoch=1)

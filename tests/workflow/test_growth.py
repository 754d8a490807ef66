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
from workflow.project import REPOSITORY, Project

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("workflow")]

END = Counter(publish=1, report=1)
METRICS = END + Counter(collect_metrics=1, phases=1)
COLLECTED = METRICS + Counter(collect_merging=1, collect_transfer=1)
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


@pytest.fixture
def grown(pulled: Project, tmp_path: Path) -> Project:
    """A pulled clone to change."""
    return Project(Path(shutil.copytree(pulled.root, tmp_path / "study")))


SEED_BLOCK = COLLECTED + Counter(train=4) + times(OF_MODELS, 2) + times(OF_PAIRS, 2 * 2)
WIDTH = COLLECTED + Counter(train=2) + OF_MODELS + OF_PAIRS
BATCH_SIZE = COLLECTED + Counter(train=2) + times(OF_MODELS + OF_PAIRS, 2)
GROWTH = {
    "a block of seeds": ({"seeds": [[0, 1], [2, 3]]}, SEED_BLOCK),
    "a width": ({"load__values": [3, 5, 7]}, WIDTH),
    "a batch size": ({"temperature__values": [[20, 50], [33]]}, BATCH_SIZE),
    "later epochs, measured": (
        {"training__checkpoints": [[0, 1, 2], [3, 4]], "metrics__evaluation__epochs": [2, 4]},
        METRICS + Counter(train=4, evaluate=2),
    ),
    "a metric at a saved epoch": (
        {"metrics__similarity__epochs": [1, 2]},
        METRICS + Counter(similarity=2),
    ),
    "another criterion": ({"phases__cka": 0.5}, END + Counter(phases=1)),
}
MADE = ("a block of seeds", "later epochs, measured")  # the others are the same to the workflow


@pytest.mark.parametrize("change", GROWTH)
def test_growth_runs_the_new_jobs_and_leaves_the_old_as_they_are(
    grown: Project, params: dict, change: str
):
    keys, jobs = GROWTH[change]
    before = digests(grown)
    grown.write(changed(params, **keys))
    assert grown.planned() == jobs
    if change not in MADE:
        return
    grown.make()
    after = digests(grown)
    assert {path: after[path] for path in before} == before
    assert grown.planned() == Counter()
    assert grown.run("phasezoo", "verify").returncode == 0


def test_a_family_of_metrics_can_come_later(finished: Project, params: dict, tmp_path: Path):
    spare = Project(Path(shutil.copytree(finished.root, tmp_path / "study")))
    spare.write(changed(params, metrics__hessian=None, transfer=None))
    spare.make()
    results = phasezoo.open_zoo(spare.root / "zoos/tiny.zarr")
    assert "transfer" not in results.tree.children
    assert "hessian_trace" not in results.metrics
    for path in (spare.root / "measured").rglob("hessian.nc"):
        path.unlink()
    before = digests(spare)
    spare.write(changed(params, transfer=None))
    assert spare.planned() == METRICS + Counter(hessian=2)
    spare.make()
    assert before.items() <= digests(spare).items()
    assert "hessian_trace" in phasezoo.open_zoo(spare.root / "zoos/tiny.zarr").metrics


def test_a_changed_plot_draws_again(grown: Project, tmp_path: Path):
    package = tmp_path / "phasezoo"
    shutil.copytree(Path(phasezoo.__file__).parent, package)
    with (package / "report/colours.py").open("a") as file:
        file.write("\nNEW = 1\n")
    assert grown.planned(code=tmp_path) == Counter(report=1)


def test_changed_training_code_is_told_and_trains_nothing(grown: Project, tmp_path: Path):
    assert "recipe" not in shared.run(grown, "phasezoo", "status")
    package = tmp_path / "phasezoo"
    shutil.copytree(Path(phasezoo.__file__).parent, package)
    with (package / "training/sgd.py").open("a") as file:
        file.write("\nNEW = 1\n")
    assert grown.planned(code=tmp_path)["train"] == 0
    said = grown.run("phasezoo", "status", code=tmp_path).stdout
    assert "tiny: recipe differs from the one the zoo was made with (4 of 4 blocks)" in said


def test_an_edit_of_the_rule_that_trains_trains_nothing(grown: Project):
    rule = grown.root / "rules/train.smk"
    rule.write_text(rule.read_text().replace("2> {log}", "2>> {log}"))
    assert grown.planned() == Counter()
    shutil.copy(REPOSITORY / "rules/train.smk", rule)


def test_two_clones_that_grew_apart_become_one_release(
    origin: Project, params: dict, tmp_path: Path
):
    here, there = (shared.clone(origin, tmp_path / name) for name in ("here", "there"))
    here.write(changed(params, seeds=[[0, 1], [2, 3]]))
    here.make()
    there.write(changed(params, load__values=[3, 5, 7]))
    there.make()

    union = changed(params, seeds=[[0, 1], [2, 3]], load__values=[3, 5, 7])
    here.write(union)
    before = digests(there) | digests(here)
    assert "adopted 8 artefacts" in shared.run(here, "phasezoo", "adopt", str(there.root))
    # what neither has: the new seeds of the new width
    missing = Counter(train=2) + OF_MODELS + times(OF_PAIRS, 2)
    assert here.planned() == COLLECTED + missing
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
    assert zoo.metrics.sizes["seed"] == 4
    assert zoo.metrics.sizes["pair"] == 6
    assert zoo.metrics.cka.sel(epoch=2).notnull().all()


def test_clones_that_contradict_each_other_are_not_mixed(
    pulled: Project, grown: Project, tmp_path: Path
):
    other = Project(Path(shutil.copytree(pulled.root, tmp_path / "other")))
    shard = next((other.root / "runs/tiny/3/20").rglob("parameters/c/0/0/0/0"))
    shard.write_bytes(shard.read_bytes()[:-1] + b"x")
    shutil.rmtree(grown.root / "runs/tiny/3/20")
    before = digests(grown)
    done = grown.run("phasezoo", "adopt", str(other.root))
    assert done.returncode == 1
    assert "nothing was copied" in done.stderr
    assert "runs/tiny/3/20/0+1/0+1+2.json: altered" in done.stderr
    assert digests(grown) == before


def test_after_a_partial_pull_the_release_cannot_shrink(origin: Project, tmp_path: Path):
    wanted = ("data", "runs/tiny/3", "zoos/tiny.json", "zoos/tiny.zarr", ".snakemake/metadata")
    part = shared.clone(origin, tmp_path / "part", *wanted)
    lock = (part.root / "dvc.lock").read_text()
    done = part.run("dvc", "repro", "--force", "--single-item", "zoo@tiny")
    assert done.returncode != 0
    assert "missing: runs/tiny/7/20/0+1/0+1+2.json" in done.stdout + done.stderr
    assert (part.root / "dvc.lock").read_text() == lock


def test_the_zoo_alone_is_enough_for_a_reader(origin: Project, tmp_path: Path):
    reader = shared.clone(origin, tmp_path / "reader", "zoos/tiny.zarr")
    assert not (reader.root / "runs").exists()
    zoo = phasezoo.open_zoo(reader.root / "zoos/tiny.zarr")
    phasezoo.load_model(zoo, width=3, batch_size=20, seed=0, epoch=1)

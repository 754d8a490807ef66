"""The smallest study grows for real: just the new jobs run, and what was there stays as it was."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from pathlib import Path

import pytest

import phasezoo
from workflow import shared
from workflow.growing import METRICS, changed
from workflow.project import Project

pytestmark = [pytest.mark.workflow]

HESSIAN = {
    **{"epochs": [2], "sets": ["train"], "samples": 50, "eigenvalues": 1, "iterations": 5},
    **{"tolerance": 1e-3, "trace_error": 0.5, "probes": 2},
}


def digests(project: Project) -> dict[str, str]:
    """Every shard and measurement, by path."""
    files = (p for name in ("data", "runs", "measured") for p in (project.root / name).rglob("*"))
    return {
        path.relative_to(project.root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.is_file() and path.name != ".snakemake_timestamp"
    }


@pytest.fixture
def grown(small_origin: Project, tmp_path: Path) -> Project:
    """A clone of the smallest study, pulled, to change and to make."""
    return shared.clone(small_origin, tmp_path / "grown")


SMALL = METRICS + Counter(train=1, evaluate=1)
MADE = {
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


AT_ONCE = [["a batch size"], [change for change in MADE if change != "a batch size"]]


def grows(project: Project, params: dict, jobs: Counter) -> None:
    """Just those jobs run, and what was there stays as it was."""
    before = digests(project)
    project.write(params)
    assert project.planned() == jobs
    project.make()
    assert before.items() <= digests(project).items()
    assert project.planned() == Counter()
    assert project.run("phasezoo", "verify").returncode == 0


@pytest.mark.parametrize("changes", AT_ONCE, ids=" and ".join)
def test_what_was_there_stays_as_it_was(grown: Project, small: dict, changes: list[str]):
    for keys, jobs in (MADE[change] for change in changes):
        grown.write(changed(small, **keys))
        assert grown.planned() == jobs
    keys = {name: value for change in changes for name, value in MADE[change][0].items()}
    own = sum((MADE[change][1] - METRICS for change in changes), Counter())
    grows(grown, changed(small, **keys), METRICS + own)


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
    seeds, width = Counter(connectivity=2, similarity=2), Counter(connectivity=1, similarity=1)
    grows(here, changed(small, seeds=[[0, 1], [2, 3]]), SMALL + seeds)
    kept = digests(there)
    there.write(changed(small, load__values=[3, 5]))
    assert there.planned() == SMALL + width
    there.make("--until", "evaluate", "connectivity", "similarity")  # nobody adopts what is joined
    assert kept.items() <= digests(there).items()

    here.write(changed(small, seeds=[[0, 1], [2, 3]], load__values=[3, 5]))
    before = digests(there) | digests(here)
    # the weights of the new width, and three families of it
    assert "adopted 4 artefacts" in shared.run(here, "phasezoo", "adopt", str(there.root))
    # what neither has: the new seeds of the new width
    assert here.planned() == SMALL + seeds
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

"""A study whose cells are trained by one job: made, checked, grown."""

from __future__ import annotations

import json
from collections import Counter
from copy import deepcopy
from itertools import product

import pytest

from phasezoo.store.manifest import tree_of
from workflow.project import Project

pytestmark = [pytest.mark.workflow]

COLLECTED = Counter(collect_metrics=1, collect_merging=1, collect_transfer=1)
END = COLLECTED + Counter(phases=1, explained=1, publish=1, report=1)
OF_MODELS = Counter(evaluate=1, hessian=1, transfer=1)
OF_PAIRS = Counter(connectivity=1, similarity=1, merging=1)
MEASURED = OF_MODELS + OF_PAIRS
WHOLE = "runs/tiny/3+7/20+50/0+1/0+1+2.zarr"


@pytest.fixture(scope="module")
def shared_params(params: dict) -> dict:
    """The tiny study, its four cells trained together."""
    found = deepcopy(params)
    found["zoos"]["tiny"]["training"]["together"] = ["load", "temperature"]
    return found


@pytest.fixture(scope="module")
def made(shared_params: dict, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project.create(tmp_path_factory.mktemp("together") / "study", shared_params)
    assert project.planned() == END + MEASURED + Counter(data=2, train=1)
    project.make()
    return project


def test_it_is_whole_and_has_nothing_to_do(made: Project):
    assert made.planned() == Counter()
    done = made.run("phasezoo", "verify")
    assert done.returncode == 0, done.stdout
    assert "0 missing, 0 altered, 0 leftover, 0 orphaned" in done.stdout
    (row,) = json.loads(made.run("phasezoo", "status", "--json").stdout)
    assert (row["blocks"], row["trained"], row["note"]) == (1, 1, "")


def test_its_cells_are_those_that_jobs_of_their_own_trained(made: Project, finished: Project):
    for load, heat in product(("3", "7"), ("20", "50")):
        alone = finished.root / f"runs/tiny/{load}/{heat}/0+1/0+1+2.zarr"
        assert tree_of(made.root / WHOLE / load / heat) == tree_of(alone)
    weights = (p.root / "zoos/tiny.zarr/weights" for p in (made, finished))
    assert len({tree_of(path) for path in weights}) == 1


def test_a_study_made_elsewhere_is_the_same_to_the_byte(made: Project, finished: Project):
    """But for what tells which job trained what: manifests of weights, and the spec of the zoo."""
    here, there = made.manifests(), finished.manifests()
    same = {path for path in here.keys() & there.keys() if here[path] == there[path]}
    told = {path for path in here if path.startswith(("runs/", "zoos/"))}
    assert same == here.keys() - told
    kinds = ("data", "measured", "results")
    assert [sum(path.startswith(kind) for path in same) for kind in kinds] == [2, 6, 6]


GROWTH = {
    "a width in a list of its own": ("load", [[3, 7], [5]], Counter(train=1) + MEASURED),
    "a width in a list that is there": ("load", [[3, 7, 5]], Counter(train=1) + MEASURED),
    "a batch size in a list of its own": (
        "temperature",
        [[20, 50], [33]],
        Counter(train=1) + MEASURED,
    ),
    "seeds": (
        "seeds",
        [[0, 1], [2, 3]],
        Counter(train=1) + OF_MODELS + OF_PAIRS + OF_PAIRS,
    ),
    "epochs": ("checkpoints", [[0, 1, 2], [3]], Counter(train=1)),
}


@pytest.mark.parametrize("change", GROWTH)
def test_growth_trains_by_one_job_what_is_new(made: Project, shared_params: dict, change: str):
    key, values, jobs = GROWTH[change]
    grown = deepcopy(shared_params)
    zoo = grown["zoos"]["tiny"]
    match key:
        case "seeds":
            zoo["seeds"] = values
        case "checkpoints":
            zoo["training"]["checkpoints"] = values
        case axis:
            zoo[axis]["values"] = values
    end = Counter(publish=1, report=1) if key == "checkpoints" else END
    made.write(grown)
    try:
        assert made.planned() == end + jobs
    finally:
        made.write(shared_params)

"""A pulled study grows: exactly the new jobs would run."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

import phasezoo
from workflow import shared
from workflow.growing import END, METRICS, changed
from workflow.project import Project

pytestmark = [pytest.mark.workflow]

ASKED = METRICS + Counter(explained=1)
COLLECTED = ASKED + Counter(collect_merging=1, collect_transfer=1)
OF_MODELS = Counter(evaluate=1, hessian=1, transfer=1)
OF_PAIRS = Counter(connectivity=1, similarity=1, merging=1)


def times(jobs: Counter, count: int) -> Counter:
    return Counter({rule: jobs[rule] * count for rule in jobs})


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


def test_a_changed_plot_draws_again(pulled: Project, tmp_path: Path):
    package = tmp_path / "phasezoo"
    shutil.copytree(Path(phasezoo.__file__).parent, package)
    with (package / "report/colours.py").open("a") as file:
        file.write("\nNEW = 1\n")
    assert pulled.planned(code=tmp_path) == Counter(report=1)


def test_the_zoo_alone_is_enough_for_a_reader(origin: Project, tmp_path: Path):
    reader = shared.clone(origin, tmp_path / "reader", "zoos/tiny.zarr")
    assert not (reader.root / "runs").exists()
    zoo = phasezoo.open_zoo(reader.root / "zoos/tiny.zarr")
    phasezoo.load_model(zoo, width=3, batch_size=20, seed=0, epoch=1)

"""What runs again: nothing, or exactly what a change touches."""

from __future__ import annotations

import shutil
from collections import Counter
from copy import deepcopy
from pathlib import Path

import pytest

import phasezoo
from workflow.project import Project

pytestmark = [pytest.mark.workflow]

ASKED = Counter(explained=1, publish=1, report=1)
LABELS = ASKED + Counter(phases=1)
METRICS = LABELS + Counter(collect_metrics=1)
OF_A_SHARE = Counter(evaluate=1, hessian=1, connectivity=1, similarity=1, merging=1, transfer=1)
OF_PAIRS = Counter(connectivity=1, similarity=1, merging=1)
COLLECTED = METRICS + Counter(collect_merging=1, collect_transfer=1)
WEIGHTS = "runs/tiny/3/20/0+1/0+1+2"
MEASURED = "measured/tiny/3+7/20+50/0+1/2"


def test_a_finished_study_has_nothing_to_do(finished: Project):
    assert finished.planned() == Counter()


@pytest.mark.parametrize(
    ("lost", "made_again"),
    [
        ("results/report/index.html", Counter(report=1)),
        ("results/report/tiny.png", Counter(report=1)),
        ("zoos/tiny.json", Counter(publish=1, report=1)),
        ("zoos/tiny.zarr", Counter(publish=1, report=1)),
        ("results/tiny/phases.json", LABELS),
        ("results/tiny/phases.nc", LABELS),
        ("results/tiny/merging.nc", ASKED + Counter(collect_merging=1)),
        (f"{MEASURED}/hessian.nc", METRICS + Counter(hessian=1)),
        (
            f"{MEASURED}/transfer.nc",
            ASKED + Counter(transfer=1, collect_transfer=1),
        ),
        (f"{WEIGHTS}.zarr", COLLECTED + OF_A_SHARE + Counter(train=1)),
        (f"{WEIGHTS}.json", COLLECTED + OF_A_SHARE + Counter(train=1)),
        ("data/digits.zarr", Counter(data=1)),  # alone, or all would be trained again
        ("data/digits.json", Counter(data=1)),
        ("data/turned.zarr", Counter(data=1)),
    ],
)
def test_a_lost_artefact_is_made_again_with_all_that_depends_on_it(
    finished: Project, tmp_path: Path, lost: str, made_again: Counter
):
    kept = tmp_path / "kept"
    shutil.move(finished.root / lost, kept)
    try:
        assert finished.planned() == made_again
    finally:
        shutil.move(kept, finished.root / lost)


def test_lost_data_made_again_by_themselves_take_nothing_along(finished: Project):
    shutil.rmtree(finished.root / "data/turned.zarr")
    assert "made again alone" in finished.make()
    assert finished.planned() == Counter()


def test_another_spec_of_the_data_trains_again(finished: Project, params: dict):
    changed = deepcopy(params)
    for dataset in changed["data"].values():
        dataset["split_seed"] = 1
    finished.write(changed)
    try:
        assert finished.planned() == COLLECTED + OF_A_SHARE + Counter(data=2, train=4)
    finally:
        finished.write(params)


def test_what_is_not_declared_is_not_made(finished: Project):
    for target in ("zoos/other.json", "runs/tiny/99/20/0+1/0+1+2.json"):
        done = finished.run("snakemake", "--dry-run", target)
        assert done.returncode != 0
        assert "MissingRuleException" in done.stdout + done.stderr


def _changed(params: dict, *path: str, value: object) -> dict:
    changed = deepcopy(params)
    here = changed["zoos"]["tiny"]
    for key in path[:-1]:
        here = here[key]
    here[path[-1]] = value
    return changed


@pytest.mark.parametrize(
    ("path", "value", "runs"),
    [
        (("phases", "cka"), 0.5, LABELS),
        (("title",), "Another title", Counter(publish=1, report=1)),
        (("metrics", "hessian", "probes"), 3, METRICS + Counter(hessian=1)),
        (("metrics", "evaluation", "epochs"), [1, 2], METRICS + Counter(evaluate=1)),
        (("training", "device"), "gpu", Counter(publish=1, report=1)),
        (("recipe",), 2, COLLECTED + OF_A_SHARE + Counter(train=4)),
        (
            ("load", "values"),
            [[3, 7], 5],
            COLLECTED + OF_A_SHARE + Counter(train=2),
        ),
        (
            ("temperature", "values"),
            [[20, 50], [33]],
            COLLECTED + OF_A_SHARE + Counter(train=2),
        ),
        (
            ("seeds",),
            [[0, 1], [2, 3]],  # pairs within the new block, and with the old one
            COLLECTED + OF_A_SHARE + OF_PAIRS + Counter(train=4),
        ),
        (("training", "checkpoints"), [[0, 1, 2], [3]], Counter(train=4, publish=1, report=1)),
    ],
)
def test_a_change_of_the_spec_runs_what_it_touches_and_no_more(
    finished: Project, params: dict, path: tuple[str, ...], value: object, runs: Counter
):
    finished.write(_changed(params, *path, value=value))
    try:
        assert finished.planned() == runs
    finally:
        finished.write(params)


@pytest.mark.parametrize(
    ("module", "addition", "runs"),
    [
        ("landscape/similarity.py", "\n# a comment\n", Counter()),
        ("landscape/similarity.py", "\nNEW = 1\n", METRICS + Counter(evaluate=1, similarity=1)),
        (
            "training/schedule.py",
            "\nNEW = 1\n",
            Counter(transfer=1, collect_transfer=1, explained=1),
        ),
        ("report/page.html.jinja", "\n<!-- new -->\n", Counter(report=1)),
    ],
)
def test_a_change_of_code_runs_the_cheap_steps_that_use_it_and_never_trains(
    finished: Project, tmp_path: Path, module: str, addition: str, runs: Counter
):
    package = tmp_path / "phasezoo"
    shutil.copytree(Path(phasezoo.__file__).parent, package)
    with (package / module).open("a") as file:
        file.write(addition)
    downstream = Counter(publish=1, report=1) if "transfer" in runs else Counter()
    assert finished.planned(code=tmp_path) == runs + downstream


def test_touching_every_file_runs_nothing(finished: Project):
    for path in (*finished.root.rglob("*.json"), *finished.root.rglob("*.nc")):
        path.touch()
    assert finished.planned() == Counter()

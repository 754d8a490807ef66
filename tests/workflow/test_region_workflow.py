"""A region study is made by the workflow, and grows without tuning again what is there."""

from __future__ import annotations

from copy import deepcopy

import pytest

from phasezoo import paths
from phasezoo.store import measurements
from regions_study import NAME, given
from workflow.project import Project

pytestmark = pytest.mark.workflow


def small() -> dict:
    """Two data sets, one start, two seeds."""
    spec = given()
    regions = spec["regions"][NAME]
    del regions["other_start"], regions["domains"]
    regions["families"] = {"parity": ["parity-0"], "size": ["size-0"]}
    return spec


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project.create(tmp_path_factory.mktemp("regions") / "study", small())
    project.make()
    return project


def test_a_run_of_nothing_else_ends_with_its_report(study: Project) -> None:
    joined = measurements.read(study.root / paths.REGIONS.format(regions=NAME))
    assert joined.sizes["dataset"] == 2
    assert NAME in (study.root / paths.REPORT).read_text(encoding="utf-8")
    assert study.planned() == {}


def test_a_block_of_seeds_tunes_itself_only(study: Project) -> None:
    """What is measured is measured again: groups, lines and centroids are of all models."""
    grown = deepcopy(small())
    grown["regions"][NAME]["seeds"] = [[0, 1], [2]]
    study.write(grown)
    assert study.planned() == {
        "tune_regions": 2, "measure_regions": 2, "collect_regions": 1, "report": 1,
    }  # fmt: skip
    study.write(small())
    assert study.planned() == {}

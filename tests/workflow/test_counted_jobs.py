"""Jobs that a zoo is said to take are those that Snakemake counts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from phasezoo.cost import cost_of, together
from phasezoo.plan import Plan
from phasezoo.spec import read_study
from workflow.project import REPOSITORY, Project

pytestmark = pytest.mark.workflow


def jobs(project: Project, *targets: str) -> int:
    done = project.run("snakemake", *targets, "--dry-run", "--cores", "2", "--quiet", "rules")
    assert done.returncode == 0, done.stdout + done.stderr
    return int(re.findall(r"^total +(\d+)$", done.stdout + done.stderr, re.MULTILINE)[-1])


@pytest.fixture(scope="module")
def plan() -> Plan:
    return Plan(read_study(REPOSITORY / "params.yaml"))


@pytest.fixture
def project(params: dict, tmp_path: Path) -> Project:
    found = Project.create(tmp_path / "study", params)
    (found.root / "params.yaml").write_text((REPOSITORY / "params.yaml").read_text("utf-8"))
    return found


@pytest.mark.parametrize("name", ["digits-mlp", "tiny-resnet18", "convection-pinn"])
def test_snakemake_counts_as_many_jobs_of_a_zoo(plan: Plan, project: Project, name: str) -> None:
    assert jobs(project, f"zoos/{name}.json") == cost_of(plan, name, None).jobs


def test_snakemake_counts_as_many_jobs_of_all_zoos_together(plan: Plan, project: Project) -> None:
    costs = [cost_of(plan, name, None) for name in plan.zoos]
    targets = (f"zoos/{name}.json" for name in plan.zoos)
    assert jobs(project, *targets) == together(plan, costs).jobs

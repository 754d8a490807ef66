"""A job that is refused memory, and one that the kernel kills for it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from faults.conftest import Told
from faults.study import SNAKEMAKE, Study, environment
from faults.test_full_disk import finish, lost_by
from phasezoo.plan import Plan
from phasezoo.spec import read_study

pytestmark = [pytest.mark.workflow]

MEBIBYTE = 2**20
ABOUT_ENOUGH = 700  # MiB; how much is enough depends on the machine
# the last two are what libraries say when they end the process themselves
REFUSED = re.compile(r"^.*(?:^out of memory: |std::bad_alloc|OpenBLAS error: Memory).*$", re.M)


class Cell:
    """Labels of one cell, as Snakemake would give them."""

    zoo, load, temperature, block, segment = "tiny", "3", "20", "0+1", "0+1+2"


def limits() -> list:
    """Address spaces in MiB: from too small for Python's own libraries to about enough."""
    return [
        m if m == 300 else pytest.param(m, marks=pytest.mark.long)
        for m in (100, 200, 300, 400, 500, 600, 700, 750, 780, 800, 820)
    ]


@pytest.mark.parametrize("limit", limits())
def test_a_job_without_memory_says_so(
    oracle: Study, tmp_path: Path, told: Told, limit: int
) -> None:
    job = Plan(read_study(oracle.root / "params.yaml")).train_job(Cell())
    step = (sys.executable, "-m", "phasezoo", "step", "train", "--job", job)
    files = ("--data", "data/digits.json", "--output", str(tmp_path / "weights.json"))
    done = subprocess.run(
        ("prlimit", f"--as={limit * MEBIBYTE}", *step, *files),
        cwd=oracle.root,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if limit >= ABOUT_ENOUGH and done.returncode == 0:
        assert "weights.json" in [path.name for path in tmp_path.iterdir()]
        told(f"{limit} MiB for `train`", "finished", "nothing to say", 0)
        return
    assert done.returncode != 0
    line = REFUSED.search(done.stderr)
    assert line, done.stderr
    assert "phasezoo/" not in done.stderr, done.stderr
    assert list(tmp_path.iterdir()) == []
    told(f"{limit} MiB for `train`", f"exit {done.returncode}", line[0][:120], 0)


@pytest.mark.long
def test_a_workflow_without_memory_is_finished_with_more(
    oracle: Study, tmp_path: Path, long: bool, told: Told
) -> None:
    rule = "train"
    study = oracle.copy(tmp_path / "study")
    study.remove(lost_by(rule, long))
    limited = ("prlimit", f"--as={700 * MEBIBYTE}", *SNAKEMAKE)
    said = study.fails("--until", rule, command=limited)
    assert REFUSED.search(said), said
    assert "for want of memory" in said
    finish(study, oracle, rule, long)
    told(
        f"700 MiB for a workflow in `{rule}`", "failed, finished", REFUSED.search(said)[0][:120], 0
    )


@pytest.mark.long
@pytest.mark.parametrize("rule", ["collect_metrics", "train"])
def test_a_job_that_the_kernel_kills_is_explained(
    oracle: Study, tmp_path: Path, long: bool, told: Told, rule: str
) -> None:
    study = oracle.copy(tmp_path / "study")
    study.remove(lost_by(rule, long))
    workflow = study.start("--until", rule)
    step = rule.removesuffix("_metrics")
    assert workflow.until(lambda _: bool(workflow.jobs(step))), workflow.said
    for pid in workflow.jobs(step):
        os.kill(pid, signal.SIGKILL)
    said = workflow.wait()
    assert workflow.process.returncode != 0
    assert "exit status 137" in said
    assert "Exit code 137 means that a job was killed, mostly for want of memory" in said
    assert "Traceback" not in said
    finish(study, oracle, rule, long)
    told(f"`{rule}` killed as for memory", "failed, finished", "Exit code 137 means ...", 0)

"""Two workflows in one folder."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from faults.conftest import Told
from faults.study import Study
from faults.test_full_disk import finish, lost_by

pytestmark = [pytest.mark.workflow]


def test_the_second_workflow_is_refused_and_the_first_finishes(
    oracle: Study, tmp_path: Path, long: bool, told: Told
) -> None:
    study = oracle.copy(tmp_path / "study")
    study.remove(lost_by("collect_metrics", long))
    first = study.start("--until", "collect_metrics")
    assert first.until(lambda _: bool(first.jobs("collect"))), first.said
    (job,) = first.jobs("collect")
    os.kill(job, signal.SIGSTOP)  # so that it surely runs when the second comes
    try:
        said = study.fails()
    finally:
        os.kill(job, signal.SIGCONT)
    assert "Directory cannot be locked" in said
    assert "no other Snakemake process" in said
    assert "Traceback" not in said
    first.wait()
    assert first.process.returncode == 0, first.said
    assert study.contents() == oracle.contents()
    if long:
        finish(study, oracle, "collect_metrics", long)
    told("second workflow in one folder", "refused; the first finished", "cannot be locked", 0)

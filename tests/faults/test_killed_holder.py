"""Jobs that hold a GPU, killed one after the other. The GPU is pretended."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from faults.conftest import Told

pytestmark = [pytest.mark.workflow]

HOLDER = """
import sys, time
from pathlib import Path
from phasezoo.steps.lease import take
from phasezoo.steps.log import start_log

start_log()
lease = take(("0",), 1, Path(sys.argv[1]), every=0.02)
print("holds", flush=True)
time.sleep(600)
"""


def test_every_killed_holder_leaves_the_slot_to_the_next(
    tmp_path: Path, long: bool, told: Told
) -> None:
    jobs = [
        subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(tmp_path)],
            stdout=(tmp_path / f"{number}.out").open("w"),
            stderr=(tmp_path / f"{number}.log").open("w"),
            text=True,
        )
        for number in range(10 if long else 3)
    ]
    logs = [tmp_path / f"{number}.log" for number in range(len(jobs))]
    outs = [tmp_path / f"{number}.out" for number in range(len(jobs))]
    alive = set(range(len(jobs)))
    while any(not log.read_text() for log in logs):  # all hold or wait
        assert all(job.poll() is None for job in jobs)
        time.sleep(0.02)
    while alive:
        assert all(jobs[number].poll() is None for number in alive)
        holders = [number for number in alive if "holds" in outs[number].read_text()]
        assert len(holders) <= 1
        for holder in holders:
            jobs[holder].kill()
            jobs[holder].wait()
            alive.remove(holder)
        time.sleep(0.02)
    said = [log.read_text() for log in logs]
    assert sum("waits for a GPU: all slots of 0 are taken" in log for log in said) == len(jobs) - 1
    assert all("holds slot 0 of GPU 0" in log for log in said)
    told(f"{len(jobs)} holders of a GPU killed", "each next got it", "waits for a GPU ...", 0)

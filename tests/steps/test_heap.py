"""Memory that is freed stays with the process."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Faults per round, in which 8 MiB are allocated in blocks, written and freed.
ROUNDS = """
import resource
import torch
from phasezoo.steps.device import prepare

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def per_round():
    before = faults()
    for _ in range(20):
        kept = [torch.ones(2**18) for _ in range(8)]
        del kept
    return (faults() - before) / 20

given_back = per_round()
prepare(gpus=0)
per_round()
print(given_back, per_round())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt is glibc's")
def test_a_job_asks_the_system_for_its_memory_once() -> None:
    command = [sys.executable, "-c", ROUNDS]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    given_back, kept = map(float, found.split())
    assert kept < 10 < given_back  # of 2,048 pages

"""A job that asks for a GPU gets one to itself; on a machine without, it gets the CPU."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from phasezoo.steps import lease as leases
from phasezoo.steps.device import name_of, prepare
from phasezoo.steps.lease import LeaseError, lock_folder

UUIDS = ("8f6c0000-0000-4000-8000-000000000000", "8f6c0000-0000-4000-8000-000000000001")


@pytest.fixture(autouse=True)
def nothing_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test is a fresh process on a fresh machine."""
    monkeypatch.setattr(leases, "_HELD", [])
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("PHASEZOO_GPU_SLOTS", raising=False)


def pretend(monkeypatch: pytest.MonkeyPatch, *uuids: str) -> list[int]:
    """GPUs of these names; returns the list to which the chosen one is added."""
    chosen: list[int] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(uuids))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(uuids))
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda index: SimpleNamespace(uuid=uuids[index])
    )
    return chosen


def test_a_job_for_the_cpu_takes_no_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, *UUIDS)
    assert prepare(0) == torch.device("cpu")
    assert not lock_folder().exists()


def test_without_a_gpu_a_job_runs_on_the_cpu_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    pretend(monkeypatch)
    assert name_of(prepare(1)) == "cpu"
    assert caplog.messages == ["asked for a GPU, and sees none: runs on the CPU"]
    assert not lock_folder().exists()


def test_the_first_free_gpu_is_chosen_and_set(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = pretend(monkeypatch, *UUIDS)
    other = leases.take([f"GPU-{UUIDS[0]}"], 1, lock_folder())  # another job has the first
    assert prepare(1) == torch.device("cuda", 1)
    assert chosen == [1]
    other.lock.release()


def test_jobs_that_number_their_gpus_from_0_do_not_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")  # as a scheduler gives it to each of them
    for uuid in UUIDS:
        monkeypatch.setattr(leases, "_HELD", [])
        pretend(monkeypatch, uuid)
        assert prepare(1) == torch.device("cuda", 0)
    assert {p.name for p in lock_folder().iterdir()} == {f"GPU-{u}.0.lock" for u in UUIDS}


def test_parts_of_one_gpu_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, UUIDS[0], UUIDS[0])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-aa,MIG-bb")
    assert prepare(1) == torch.device("cuda", 0)
    assert [path.name for path in lock_folder().iterdir()] == ["MIG-aa.0.lock"]


def test_a_wrong_number_of_slots_is_an_error_with_and_without_a_gpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PHASEZOO_GPU_SLOTS", "many")
    for uuids in ((), UUIDS):
        pretend(monkeypatch, *uuids)
        with pytest.raises(LeaseError, match="PHASEZOO_GPU_SLOTS: got 'many'"):
            prepare(1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_real_gpu_computes_under_a_lease() -> None:
    device = prepare(1)
    assert torch.ones(3, device=device).sum().item() == 3
    assert name_of(device) == torch.cuda.get_device_name(device)
    (lock,) = lock_folder().iterdir()
    assert lock.name.startswith(("GPU-", "MIG-"))

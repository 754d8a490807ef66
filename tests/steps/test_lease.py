"""No two processes hold one slot of a GPU, and no slot is lost. The GPUs are pretended."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from phasezoo.steps import lease as leases
from phasezoo.steps.lease import LeaseError, lock_folder, slots_per_gpu, take, visible

JOB = """
import sys, time
from pathlib import Path
from phasezoo.steps.lease import take, visible
from phasezoo.steps.log import start_log

folder, found, slots, held = Path(sys.argv[1]), *map(int, sys.argv[2:4]), float(sys.argv[4])
start_log()
print("ready", flush=True)
sys.stdin.readline()
lease = take(visible(found), slots, folder, every=0.02)
began = time.monotonic()  # one clock for all processes of a machine
print("holds", flush=True)
time.sleep(held)
print(lease.index, lease.device, lease.slot, began, time.monotonic(), flush=True)
"""


@dataclass(frozen=True)
class Held:
    index: int
    device: str
    slot: int
    began: float
    ended: float


def job(
    folder: Path, found: int, slots: int, held: float, devices: str | None = None
) -> subprocess.Popen:
    """A process that waits for a line, then for a lease, and holds it."""
    environment = {k: v for k, v in os.environ.items() if k != "CUDA_VISIBLE_DEVICES"}
    return subprocess.Popen(
        [sys.executable, "-c", JOB, str(folder), str(found), str(slots), str(held)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment if devices is None else environment | {"CUDA_VISIBLE_DEVICES": devices},
    )


def run(jobs: list[subprocess.Popen]) -> list[Held]:
    """Start all at the same moment; what each held."""
    for process in jobs:
        assert process.stdout.readline() == "ready\n"
    for process in jobs:
        process.stdin.write("go\n")
        process.stdin.flush()
    found = []
    for process in jobs:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        index, device, slot, began, ended = out.splitlines()[-1].split()
        found.append(Held(int(index), device, int(slot), float(began), float(ended)))
    return found


def most_at_once(held: list[Held]) -> int:
    steps = sorted([(h.began, 1) for h in held] + [(h.ended, -1) for h in held])
    together = most = 0
    for _, step in steps:
        together += step
        most = max(most, together)
    return most


def test_forty_jobs_on_four_gpus_are_never_two_on_one(tmp_path: Path) -> None:
    held = run([job(tmp_path, 4, 1, 0.05) for _ in range(40)])
    assert set(Counter(h.device for h in held)) == {"0", "1", "2", "3"}
    for device in "0123":
        assert most_at_once([h for h in held if h.device == device]) == 1
    assert most_at_once(held) == 4


def test_two_slots_are_two_jobs_on_a_gpu_and_never_three(tmp_path: Path) -> None:
    held = run([job(tmp_path, 2, 2, 0.1) for _ in range(20)])
    for device in "01":
        mine = [h for h in held if h.device == device]
        assert most_at_once(mine) == 2
        for slot in (0, 1):
            assert most_at_once([h for h in mine if h.slot == slot]) == 1


def test_a_killed_job_frees_its_slot_and_who_waits_says_so(tmp_path: Path) -> None:
    first, second = job(tmp_path, 1, 1, 600), job(tmp_path, 1, 1, 0)
    for process in (first, second):
        assert process.stdout.readline() == "ready\n"
    first.stdin.write("go\n")
    first.stdin.flush()
    assert first.stdout.readline() == "holds\n"
    second.stdin.write("go\n")
    second.stdin.flush()
    assert "waits for a GPU: all slots of 0 are taken (1 each)" in second.stderr.readline()
    first.send_signal(signal.SIGKILL)
    out, err = second.communicate(timeout=60)
    assert out.startswith("holds\n")
    assert "holds slot 0 of GPU 0 (0) after" in err
    first.communicate()


def test_jobs_of_two_subsets_meet_on_the_gpu_they_share(tmp_path: Path) -> None:
    held = run([job(tmp_path, 2, 1, 0.05, devices) for devices in ("2,3", "3,5") * 8])
    used = {devices: {h.device for h in held[i::2]} for i, devices in enumerate(("2,3", "3,5"))}
    assert used["2,3"] <= {"2", "3"}
    assert used["3,5"] <= {"3", "5"}
    assert {(h.device, h.index) for h in held} <= {("2", 0), ("3", 1), ("3", 0), ("5", 1)}
    for device in "235":
        assert most_at_once([h for h in held if h.device == device]) <= 1


def test_gpus_are_filled_one_after_the_other_and_slot_after_slot(tmp_path: Path) -> None:
    kept = [take(("a", "b", "c"), 2, tmp_path) for _ in range(6)]
    places = [(lease.slot, lease.device) for lease in kept]
    assert places == [(0, "a"), (0, "b"), (0, "c"), (1, "a"), (1, "b"), (1, "c")]
    kept[4].lock.release()
    again = take(("a", "b", "c"), 2, tmp_path)
    assert (again.index, again.device, again.slot) == (1, "b", 1)


def test_a_lease_is_said_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    lease = take(("GPU-8f6c",), 3, tmp_path)
    assert caplog.messages == ["holds slot 0 of GPU 0 (GPU-8f6c)"]
    lease.lock.release()


def test_a_process_has_one_lease_however_often_it_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "_HELD", [])
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    first = leases.hold(("0", "1"), 1)
    assert leases.hold(("0", "1"), 1) is first
    assert first.lock.is_locked
    assert [path.name for path in lock_folder().iterdir()] == ["0.0.lock"]


def test_the_locks_of_a_node_are_open_to_all_its_users(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        take(("MIG-GPU-1/2/0",), 1, tmp_path / "locks").lock.release()
    finally:
        os.umask(before)
    (lock,) = (tmp_path / "locks").iterdir()
    assert lock.name == "MIG-GPU-1_2_0.0.lock"
    assert lock.stat().st_mode & 0o777 == 0o666
    assert lock.parent.stat().st_mode & 0o7777 == 0o1777


@pytest.mark.parametrize(
    ("given", "found", "names"),
    [
        (None, 3, ("0", "1", "2")),
        ("2,3", 2, ("2", "3")),
        ("3, 1", 2, ("3", "1")),
        ("GPU-8f6c,MIG-2b1e", 2, ("GPU-8f6c", "MIG-2b1e")),
        ("0,9,1", 1, ("0",)),  # CUDA stops at the first that is not there
        ("", 0, ()),
        ("-1", 0, ()),
    ],
)
def test_the_visible_gpus_are_those_of_the_variable(
    given: str | None, found: int, names: tuple[str, ...]
) -> None:
    environment = {} if given is None else {"CUDA_VISIBLE_DEVICES": given}
    assert visible(found, environment) == names


def test_a_gpu_has_one_slot_unless_the_machine_says_otherwise() -> None:
    assert slots_per_gpu({}) == 1
    assert slots_per_gpu({"PHASEZOO_GPU_SLOTS": "4"}) == 4


@pytest.mark.parametrize("given", ["0", "-1", "two", "", "1.5", "100", " 2", "٣"])
def test_a_wrong_number_of_slots_is_refused(given: str) -> None:
    with pytest.raises(LeaseError) as refusal:
        slots_per_gpu({"PHASEZOO_GPU_SLOTS": given})
    allowed = "allowed: a whole number from 1 to 99"
    assert str(refusal.value) == f"PHASEZOO_GPU_SLOTS: got {given!r}; {allowed}"


def test_no_gpu_is_no_lease(tmp_path: Path) -> None:
    with pytest.raises(LeaseError, match=r"^CUDA_VISIBLE_DEVICES: got no GPU"):
        take((), 1, tmp_path)


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LeaseError, match=r"file: got 'File exists'; allowed: .* TMPDIR$"):
        take(("0",), 1, tmp_path / "file")


def test_a_lock_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "0.0.lock").mkdir()
    with pytest.raises(LeaseError, match=r"0\.0\.lock: got 'Is a directory'; allowed: "):
        take(("0",), 1, tmp_path)


def test_leases_need_no_torch() -> None:
    check = "import sys, phasezoo.steps.lease; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0

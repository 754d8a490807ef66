"""A slot of a GPU that one job holds alone, for as long as its process lives.

Snakemake counts GPUs and assigns none. A slot is a lock file in a folder of the node; the kernel
frees the lock when its holder ends, however it ends.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from phasezoo.steps.log import say
from phasezoo.vocabulary import PhasezooError

SLOTS = "PHASEZOO_GPU_SLOTS"
VISIBLE = "CUDA_VISIBLE_DEVICES"


class LeaseError(PhasezooError):
    """No slot can be had, and waiting would not help."""


@dataclass(frozen=True)
class Lease:
    """One slot of one GPU, held until the lock is released or the process ends.

    Attributes:
        index: place of the GPU among the visible ones, as CUDA counts them.
        device: name of the GPU, the same for all jobs of the node.
    """

    index: int
    device: str
    slot: int
    lock: FileLock


def lock_folder() -> Path:
    """Where the locks of this node lie: in the system's temporary directory."""
    return Path(tempfile.gettempdir()) / "phasezoo-gpus"


def slots_per_gpu(environment: Mapping[str, str] = os.environ) -> int:
    """How many jobs may share a GPU of this machine.

    Raises:
        LeaseError: the variable PHASEZOO_GPU_SLOTS is no whole number from 1 to 99.
    """
    given = environment.get(SLOTS, "1")
    if not re.fullmatch(r"[1-9][0-9]?", given):
        raise LeaseError(f"{SLOTS}: got {given!r}; allowed: a whole number from 1 to 99")
    return int(given)


def visible(found: int, environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """What CUDA_VISIBLE_DEVICES calls the GPUs, in CUDA's order: ids, UUIDs, or all by number.

    Args:
        found: how many GPUs CUDA sees. It leaves out what the variable names in vain.
        environment: where to look for the variable.
    """
    given = environment.get(VISIBLE)
    names = map(str, range(found)) if given is None else map(str.strip, given.split(","))
    return tuple(names)[:found]


_HELD: list[Lease] = []


def hold(devices: Sequence[str], slots: int) -> Lease:
    """The lease of this process: taken when first asked for, kept until the process ends."""
    if not _HELD:
        _HELD.append(take(devices, slots, lock_folder()))
    return _HELD[0]


def take(devices: Sequence[str], slots: int, folder: Path, every: float = 0.5) -> Lease:
    """Wait for a free slot and take it: the first slot of each GPU before the second of any.

    Args:
        devices: names of the GPUs, as all jobs of the node call them.
        slots: how many jobs may share a GPU.
        folder: where the locks lie; made if missing, for all users of the node.
        every: seconds between two looks while all slots are taken.

    Raises:
        LeaseError: there is no GPU, or the locks cannot be written.
    """
    if not devices:
        raise LeaseError(f"{VISIBLE}: got no GPU for a job that needs one; allowed: at least one")
    _share(folder)
    began, waits = time.monotonic(), False
    while (lease := _look(devices, slots, folder)) is None:
        if not waits:
            say(f"waits for a GPU: all slots of {', '.join(devices)} are taken ({slots} each)")
        waits = True
        time.sleep(every)
    waited = f" after {time.monotonic() - began:.0f} s" if waits else ""
    say(f"holds slot {lease.slot} of GPU {lease.index} ({lease.device}){waited}")
    return lease


def _look(devices: Sequence[str], slots: int, folder: Path) -> Lease | None:
    """The first free slot, or none."""
    for slot in range(slots):
        for index, device in enumerate(devices):
            lock = _lock(folder / f"{re.sub(r'[^A-Za-z0-9-]', '_', device)}.{slot}.lock")
            if lock is not None:
                return Lease(index, device, slot, lock)
    return None


def _lock(path: Path) -> FileLock | None:
    """The lock of one slot, or none while another process has it."""
    # a soft lock would outlive a killed holder
    lock = FileLock(path, mode=0o666, thread_local=False, fallback_to_soft=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return None
    except (OSError, NotImplementedError) as problem:
        raise _unusable(path, problem) from None
    return lock


def _share(folder: Path) -> None:
    """Make the folder, open to every user of the node whatever the umask, as /tmp is."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise _unusable(folder, problem) from None
    with suppress(PermissionError):  # another user made it, and opened it
        folder.chmod(0o1777)


def _unusable(path: Path, problem: Exception) -> LeaseError:
    reason = (problem.strerror if isinstance(problem, OSError) else None) or str(problem)
    allowed = "a local folder that all users can write, named by TMPDIR"
    return LeaseError(f"{path}: got '{reason}'; allowed: {allowed}")

"""The device of a job, and settings that make it repeatable."""

from __future__ import annotations

import os

import torch

from phasezoo.steps.heap import keep_freed_memory
from phasezoo.steps.lease import hold, slots_per_gpu, visible
from phasezoo.steps.log import say
from phasezoo.training.fit import free_bytes


def prepare(gpus: int) -> torch.device:
    """Choose the device and make kernels deterministic.

    One thread per job: the workflow runs as many jobs as there are cores. A job that asks for a
    GPU takes a lease on one, held until its process ends; where there is none, it gets the CPU.

    Raises:
        LeaseError: there are GPUs, and no lease can be had by waiting.
    """
    torch.set_num_threads(1)
    keep_freed_memory()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # the same as use_deterministic_algorithms(True), which first imports torch's compiler: 1.6 s
    torch.set_deterministic_debug_mode("error")
    torch.backends.cudnn.allow_tf32 = False  # float32 means float32, on a GPU too
    return _leased() if gpus else torch.device("cpu")


def _leased() -> torch.device:
    """The GPU that the lease of this process is for, or the CPU."""
    slots = slots_per_gpu()  # a wrong value is one with and without a GPU
    if not torch.cuda.is_available():
        say("asked for a GPU, and sees none: runs on the CPU")
        return torch.device("cpu")
    lease = hold(_names(), slots)
    # CUDA_VISIBLE_DEVICES is read once; a change of it now might come too late
    torch.cuda.set_device(lease.index)
    return torch.device("cuda", lease.index)


def _names() -> list[str]:
    """A name for each visible GPU that means the same GPU in every job of the node.

    Schedulers and containers number the GPUs of each job from 0, so a number names no GPU. A part
    of a GPU (MIG) is named by the variable only.
    """
    called = visible(torch.cuda.device_count())
    return [
        name if name.startswith("MIG") else f"GPU-{torch.cuda.get_device_properties(index).uuid}"
        for index, name in enumerate(called)
    ]


def name_of(device: torch.device) -> str:
    """What provenance calls a device: ``cpu``, or the name of the GPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def share_of(device: torch.device) -> int:
    """Bytes that a job may take: of what is free of its GPU, one slot's part."""
    return free_bytes(device) // (slots_per_gpu() if device.type == "cuda" else 1)

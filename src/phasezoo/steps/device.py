"""The device of a job, and settings that make it repeatable."""

from __future__ import annotations

import os

import torch


def prepare(gpus: int) -> torch.device:
    """Choose the device and make kernels deterministic.

    One thread per job: the workflow runs as many jobs as there are cores. A job that asks for a
    GPU gets one where there is one, else the CPU.
    """
    torch.set_num_threads(1)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # the same as use_deterministic_algorithms(True), which first imports torch's compiler: 1.6 s
    torch.set_deterministic_debug_mode("error")
    torch.backends.cudnn.allow_tf32 = False  # float32 means float32, on a GPU too
    return torch.device("cuda" if gpus and torch.cuda.is_available() else "cpu")


def name_of(device: torch.device) -> str:
    """What provenance calls a device: ``cpu``, or the name of the GPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type

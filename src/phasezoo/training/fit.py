"""How many models of one architecture fit into memory while they are trained as one program."""

from __future__ import annotations

import copy
import os
from functools import partial

import torch
from torch import nn

from phasezoo.training.member import Member
from phasezoo.training.saved import saved_bytes

_VECTORS = 6  # parameters, their gradient, what an update makes on its way, a copy while captured
_OF_GRAPH = 2  # what a backward pass makes beside what the forward pass kept
_PART = {"cuda": 0.8, "cpu": 0.5}  # of the free memory: others want some of it too


def bytes_of(module: nn.Module, member: Member) -> int:
    """An estimate of what a model takes while it is trained in a stack, in bytes.

    Vectors of parameters and moments, inputs of a part of a batch and what the layers keep of them
    for the backward pass (measured on 2 and 4 samples), and the tables of an epoch.

    Args:
        module: the architecture, on the device and in the type it is trained in.
        member: one of the models.
    """
    task, how = member.task, member.optimisation
    samples = member.samples
    batch = samples if how.batch_size in ("full", None) else min(int(how.batch_size), samples)
    part = min(how.at_once or batch, batch)
    parameters = sum(p.numel() * p.element_size() for p in module.parameters())
    sample = task.train_inputs[0].numel() * task.train_inputs.element_size()
    activations = _OF_GRAPH * _per_sample(module, member) + (3 if how.augmentation else 1) * sample
    table = (how.batch_size != "full") * 8 + (how.augmentation is not None) * 36
    table += (member.seen is not None) * 8
    vectors = (_VECTORS + 2 * how.optimiser.moments) * parameters
    return int(vectors + part * activations + samples * table)


def _per_sample(module: nn.Module, member: Member) -> int:
    module, task = copy.deepcopy(module).train(), member.task
    present = [*module.parameters(), *module.buffers()]

    def loss(samples: int) -> object:
        outputs = task.objective.outputs(module, task.train_inputs[:samples])
        return task.objective.losses(outputs, task.train_labels[:samples])

    few, more = (saved_bytes(partial(loss, samples), present) for samples in (2, 4))
    return max(0, more - few) // 2


def free_bytes(device: torch.device) -> int:
    """The part of a device's free memory that a population may take."""
    if device.type == "cuda":
        free = torch.cuda.mem_get_info(device)[0]
    else:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return int(_PART[device.type] * free)

"""A step as a function of fixed buffers, captured as one CUDA graph where there is a GPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Step = Callable[[], None]
_WARM = 3  # steps before a capture, in which libraries choose their kernels and take their memory


def replayed(step: Step, state: Sequence[Tensor]) -> Step:
    """The step as it is to be run: itself on the CPU, on a GPU the replay of its graph.

    A replay launches all kernels of a step at once, where Python needs ten microseconds for each.

    Args:
        step: reads and writes the same tensors each time, and waits for nothing.
        state: all tensors that it writes; the capture leaves them as they were.
    """
    return _captured(step, state) if state[0].is_cuda else step


@torch.no_grad()
def _captured(step: Step, state: Sequence[Tensor]) -> Step:
    kept = [tensor.detach().clone() for tensor in state]
    here, aside = torch.cuda.current_stream(), torch.cuda.Stream()
    aside.wait_stream(here)
    with torch.cuda.stream(aside):
        for _ in range(_WARM):
            step()
            restore(state, kept)  # a step further there may be no batch
    here.wait_stream(aside)
    del kept  # what follows records, and computes nothing
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


@torch.no_grad()
def restore(state: Sequence[Tensor], kept: Sequence[Tensor]) -> None:
    """Copy values back in place."""
    for tensor, value in zip(state, kept, strict=True):
        tensor.copy_(value)

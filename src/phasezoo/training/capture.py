"""A step as a function of fixed buffers, captured as one CUDA graph where there is a GPU."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

Step = Callable[[], None]
_WARM = 3  # steps before a capture, in which libraries choose their kernels and take their memory


class Replays:
    """Steps as they are to be run: themselves on the CPU, on a GPU the replays of their graphs.

    A replay launches all kernels of a step at once, where Python needs ten microseconds for each.
    The graphs share the memory of what they compute on their way, so they never run at once.
    """

    def __init__(self, state: Sequence[Tensor]) -> None:
        """Of steps that write to `state` and to nothing else; a capture leaves it as it was."""
        self._state = state
        self._pool: Any = torch.cuda.graph_pool_handle() if state[0].is_cuda else None

    def of(self, step: Step) -> Step:
        """The step, which reads and writes the same tensors each time, and waits for nothing."""
        return self._captured(step) if self._state[0].is_cuda else step

    def _captured(self, step: Step) -> Step:
        kept = [tensor.detach().clone() for tensor in self._state]
        here, aside = torch.cuda.current_stream(), torch.cuda.Stream()
        aside.wait_stream(here)
        with torch.cuda.stream(aside):
            for _ in range(_WARM):
                step()
                restore(self._state, kept)  # a step further there may be no batch
        here.wait_stream(aside)
        del kept  # what follows records, and computes nothing
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph, pool=self._pool):
                step()
        except torch.cuda.OutOfMemoryError:
            raise
        except RuntimeError as problem:
            reason = str(problem).partition("\n")[0]
            warnings.warn(f"a step is run uncaptured: {reason}", stacklevel=2)
            return step
        replay: Step = graph.replay
        return replay


@torch.no_grad()
def restore(state: Sequence[Tensor], kept: Sequence[Tensor]) -> None:
    """Copy values back in place."""
    for tensor, value in zip(state, kept, strict=True):
        tensor.copy_(value)

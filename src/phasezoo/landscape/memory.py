"""What a graph keeps in memory, and how to cut a sample so that it keeps no more than allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from torch import Tensor

from phasezoo.training.saved import saved_bytes


@dataclass(frozen=True)
class GraphSize:
    """Bytes of a graph: `fixed + per_sample * samples`."""

    fixed: int
    per_sample: int

    def of(self, samples: int) -> int:
        """Bytes of the graph of a number of samples."""
        return self.fixed + self.per_sample * samples


@dataclass(frozen=True)
class Cut:
    """Samples per chunk, and of how many chunks the graph is kept between products."""

    chunk: int
    kept: int


def graph_size(
    build: Callable[[int], object], samples: int, present: Iterable[Tensor]
) -> GraphSize:
    """The size of `build(n)` for any n up to `samples`, measured on two small ones."""
    present = list(present)
    few = max(1, min(8, samples // 2))
    small, large = (saved_bytes(partial(build, n), present) for n in (few, 2 * few))
    per_sample = max(0, large - small) // few
    return GraphSize(max(0, small - per_sample * few), per_sample)


def cut(size: GraphSize, samples: int, limit: int) -> Cut:
    """The fewest chunks whose kept graphs, and one that is made and dropped, stay within `limit`.

    Where even the graph of one sample does not fit, samples are taken one by one.
    """
    if size.of(samples) <= limit:
        return Cut(samples, kept=1)
    quarter = (limit // 4 - size.fixed) // max(1, size.per_sample)
    if quarter >= 1:  # three quarters are kept, one is for the graph in work
        return Cut(min(quarter, samples), kept=3)
    whole = (limit - size.fixed) // max(1, size.per_sample)
    return Cut(min(max(1, whole), samples), kept=0)

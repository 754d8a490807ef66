"""What the graph of a forward pass keeps in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor


def saved_bytes(build: Callable[[], object], present: Iterable[Tensor]) -> int:
    """Bytes that the graphs made by `build` keep, beside the tensors that are there anyway.

    Counted as storages, because several nodes may save views of one.
    """
    known = {tensor.untyped_storage().data_ptr() for tensor in present}
    storages: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        at, size = _place(tensor)
        if at not in known:
            storages[at] = size
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        kept = build()  # held until all is counted: an address that is freed may be used again
    del kept
    return sum(storages.values())


def _place(tensor: Tensor) -> tuple[int, int]:
    """Where the numbers of a tensor lie, and their bytes."""
    try:
        storage = tensor.untyped_storage()
        return storage.data_ptr(), storage.nbytes()
    except RuntimeError:  # a tensor of `torch.func`, which wraps one that is not shown
        return id(tensor), tensor.numel() * tensor.element_size()

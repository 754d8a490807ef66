"""The precision that layers compute in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch

from phasezoo.spec.training import Precision


def rounding(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """A context for a forward and its backward pass, which says what matrix products round to.

    tf32 has matrix products and convolutions of a GPU round their inputs to 10 binary places; in
    the other precisions they do not, whatever torch is set to (convolutions of float32 round
    unless it is told otherwise). Other devices do not know tf32.
    """
    return _tf32(precision == "tf32") if device.type == "cuda" else nullcontext()


def casting(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """A context for a forward pass; the types in which its layers compute follow them backward.

    bf16 has matrix products and convolutions, and what follows from them, compute in bfloat16
    (8 binary places), as ``torch.autocast`` chooses; parameters and losses keep their type.
    """
    if precision != "bf16":
        return nullcontext()
    # casts are not kept: a captured step has to make them anew each time
    return torch.autocast(device.type, torch.bfloat16, cache_enabled=False)


@contextmanager
def _tf32(allowed: bool) -> Iterator[None]:
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32
    matmul.allow_tf32 = cudnn.allow_tf32 = allowed
    try:
        yield
    finally:
        matmul.allow_tf32, cudnn.allow_tf32 = before

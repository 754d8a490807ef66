"""The precision that layers compute in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch

from phasezoo.spec.training import Precision


def computing(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """A context that computes in a precision; parameters and losses keep their type.

    float32 changes nothing. tf32 has matrix products and convolutions of a GPU round their inputs
    to 10 binary places; other devices do not know it. bf16 has them, and what follows from them,
    compute in bfloat16 (8 binary places), as ``torch.autocast`` chooses.
    """
    match precision:
        case "float32":
            return nullcontext()
        case "tf32":
            return _rounding()
        case "bf16":
            # casts are not kept: a captured step has to make them anew each time
            return torch.autocast(device.type, torch.bfloat16, cache_enabled=False)


@contextmanager
def _rounding() -> Iterator[None]:
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32
    matmul.allow_tf32 = cudnn.allow_tf32 = True
    try:
        yield
    finally:
        matmul.allow_tf32, cudnn.allow_tf32 = before

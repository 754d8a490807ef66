"""Float64 throughout, whatever a module asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

_NARROW = {torch.float16, torch.bfloat16, torch.float32}


class _Wide(TorchDispatchMode):
    """Makes and casts to float64 what would be narrower: norms and softmax that work in float32.

    Otherwise their rounding would hide small changes, or pass for one.
    """

    def __torch_dispatch__(
        self,
        function: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = dict(kwargs or {})
        if given.get("dtype") in _NARROW:
            given["dtype"] = torch.float64
        return function(*args, **given)


@contextmanager
def wide() -> Iterator[None]:
    """All that is computed is in float64, as long as the context is open."""
    kept = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with _Wide():  # type: ignore[no-untyped-call]
            yield
    finally:
        torch.set_default_dtype(kept)

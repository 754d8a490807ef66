"""Packages that only the optional extra `text` brings."""

from __future__ import annotations

import importlib
from types import ModuleType

from phasezoo.vocabulary import PhasezooError


class ExtraError(PhasezooError):
    """A package of an optional extra is not installed."""


def extra(name: str, what: str) -> ModuleType:
    """A package of the extra `text`.

    Args:
        name: of the package.
        what: needs it.

    Raises:
        ExtraError: it is not there; the message says how to bring it.
    """
    try:
        return importlib.import_module(name)
    except ImportError as problem:
        got = " ".join(str(problem).split())
        allowed = f"{name}, which `pip install 'phasezoo[text]'` brings"
        raise ExtraError(f"{what}: got '{got}'; allowed: {allowed}") from None

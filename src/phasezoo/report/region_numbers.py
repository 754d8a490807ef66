"""How numbers of region studies are written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr

from phasezoo.report.tables import NOTHING


@dataclass(frozen=True)
class Score:
    """A number in a table, and what is written small below it."""

    value: str
    interval: str
    below: str = ""


def number(value: float, digits: int = 2, sign: str = "") -> str:
    """A number with a real minus; a dash where there is none."""
    if not np.isfinite(value):
        return NOTHING
    return format(round(value, digits) + 0.0, f"{sign}.{digits}f").replace("-", "\N{MINUS SIGN}")


def probability(value: float) -> str:
    """A p value: as it is down to 0.001."""
    if np.isfinite(value) and value < 0.001:
        return "< 0.001"
    return number(value, 3)


def score_of(
    data: xr.Dataset, name: str, written: Callable[[float], str], below: str = ""
) -> Score:
    """A number with its interval, at one place of a Dataset."""
    value, low, high = (float(data[f"{name}{end}"]) for end in ("", "_low", "_high"))
    interval = f"[{written(low)}, {written(high)}]" if np.isfinite(low) else ""
    return Score(written(value), interval, below)


def percent(value: float) -> str:
    """A fraction as a percentage."""
    return number(100 * value, 1)


def points(value: float) -> str:
    """A difference of fractions in percentage points, with its sign."""
    return number(100 * value, 2, "+")

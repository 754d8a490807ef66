"""Tables of means, and numbers in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from phasezoo.report.panels import ERROR, POINTS, Panel
from phasezoo.report.summary import Row, cell_means
from phasezoo.vocabulary import PAIR

NOTHING = "–"
_REPLICATES = {PAIR: "pairs", "block": "blocks"}


@dataclass(frozen=True)
class Entry:
    """A mean, its 95 % confidence interval and what it rests on."""

    mean: str
    interval: str
    basis: str


@dataclass(frozen=True)
class Table:
    """A table of means: one column per panel, one line per group of cells."""

    caption: str
    corner: str
    columns: list[tuple[str, str, str]]  # title, unit, what n counts
    lines: list[tuple[str, list[Entry]]]


def table(
    caption: str,
    corner: str,
    panels: Sequence[Panel],
    data: xr.Dataset,
    rows_of: Callable[[xr.DataArray], list[Row]],
) -> Table:
    """Means of panels over the groups of cells that `rows_of` makes."""
    values = [panel.of(data) for panel in panels]
    columns = [_column(p, rows_of(v)) for p, v in zip(panels, values, strict=True)]
    lines = [
        (row.group, [column[place] for column in columns])
        for place, row in enumerate(rows_of(values[0]))
    ]
    heads = [(p.title, p.unit, _counted(v)) for p, v in zip(panels, values, strict=True)]
    return Table(caption, corner, heads, lines)


def _counted(values: xr.DataArray) -> str:
    return next((word for dim, word in _REPLICATES.items() if dim in values.dims), "models")


def _column(panel: Panel, rows: list[Row]) -> list[Entry]:
    out = []
    for row in rows:
        low, high = (number(end, panel) for end in (row.low, row.high))
        interval = f"[{low}, {high}]" if np.isfinite(row.low) else ""
        out.append(Entry(number(row.mean, panel), interval, f"n = {row.values}, {row.cells} cells"))
    return out


def number(value: float, panel: Panel) -> str:
    """A number as it is written for its panel: gains with their sign, percentages to 0.01."""
    if not np.isfinite(value):
        return NOTHING
    sign = "+" if panel.scale == "signed" else ""
    if panel.unit in (ERROR, POINTS):
        text = format(round(value, 2) + 0.0, f"{sign}.2f")
    elif 1000 <= abs(value) < 1e6:
        text = format(value, f"{sign},.0f")
    else:
        text = format(value, f"{sign}#.3g").rstrip(".")
    return text.replace("-", "\N{MINUS SIGN}")


def ranges(panels: Sequence[Panel], data: xr.Dataset) -> str:
    """From where to where each panel goes over the cells, for readers who hear the page."""
    parts = []
    for panel in panels:
        cells = cell_means(panel.of(data)).values
        found = cells[np.isfinite(cells)]
        span = (number(float(v), panel) for v in (found.min(), found.max())) if found.size else None
        says = f"{' to '.join(span)} {panel.unit}".strip() if span else "no value"
        parts.append(f"{panel.title}: {says}")
    return "; ".join(parts)


def flattened(mapping: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Nested mappings as lines: ``training.optimiser.name``, ``sgd``."""
    for key, value in mapping.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", NOTHING if value is None else str(value)

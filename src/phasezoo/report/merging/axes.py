"""Axes of figures of merging: loads, epochs, barriers and excesses, and lines with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.axis import XAxis
from matplotlib.lines import Line2D
from matplotlib.ticker import (
    FuncFormatter,
    LogLocator,
    NullFormatter,
    NullLocator,
    SymmetricalLogLocator,
)

from phasezoo.report.arms import ALIGNED
from phasezoo.report.colours import WAYS
from phasezoo.report.grid import CROWDED
from phasezoo.report.merging.entries import labels_of, name_of
from phasezoo.report.panels import Panel

APART = 0.012  # of the axis, between the bars of lines that share their places
LINEAR = 1.0  # percentage points around 0 that are drawn linearly
ROOM = 1.25  # beyond the extremes, on a logarithmic scale
PLAIN = FuncFormatter(lambda value, _: f"{value:g}".replace("-", "\N{MINUS SIGN}"))


def load_axis(axes: Axes, loads: xr.DataArray) -> None:
    """The values of the load from left to right, logarithmic where all are positive."""
    if loads.values.min() > 0:
        axes.set_xscale("log", base=2)
    _placed(axes, loads.values.astype(float), labels_of(loads))
    axes.set_xlabel(name_of(loads))


def epoch_axis(axes: Axes, epochs: Sequence[int]) -> None:
    """Epochs from left to right, logarithmic beyond the first."""
    axes.set_xscale("symlog", linthresh=1, linscale=0.5)
    _placed(axes, np.array(epochs, dtype=float), [str(epoch) for epoch in epochs])
    axes.set_xlabel("epoch")


def _placed(axes: Axes, values: np.ndarray, labels: Sequence[str]) -> None:
    side: XAxis = axes.xaxis
    crowded = len(values) > CROWDED
    side.set_major_locator(NullLocator())
    side.set_minor_locator(NullLocator())
    side.set_ticks(values, labels, fontsize=7 if crowded else None, rotation=90 if crowded else 0)
    side.set_minor_formatter(NullFormatter())


def value_axis(axes: Axes, panel: Panel, found: xr.Dataset) -> None:
    """The scale of a measure, wide enough for its means and the upper ends of its intervals.

    Barriers are on a logarithmic scale, where an interval that holds 0 reaches the lower edge;
    excesses are linear close to 0 and logarithmic beyond, on both sides.
    """
    if panel.scale == "signed":
        axes.set_yscale("symlog", linthresh=LINEAR, linscale=0.7)
        axes.yaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=LINEAR))
        axes.axhline(0, color="#666666", linewidth=0.8, zorder=0)
    else:
        low, high = _extremes(found)
        axes.set_yscale("log", nonpositive="clip")
        axes.set_ylim(low / ROOM**2, high * ROOM)
        axes.yaxis.set_major_locator(LogLocator(subs=(1,) if high > 100 * low else (1, 2, 5)))
    axes.yaxis.set_major_formatter(PLAIN)
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def _extremes(found: xr.Dataset) -> tuple[float, float]:
    means, highs = found["mean"].values, found["high"].values
    positive = means[means > 0]
    if not positive.size:
        return 0.1, 1.0
    return float(positive.min()), float(np.nanmax([positive.max(), np.nanmax([*highs.flat, 0.0])]))


def draw_line(
    axes: Axes, style: tuple[str, str], place: tuple[int, int], x: str, found: xr.Dataset
) -> None:
    """One line with an interval at every point.

    Args:
        axes: whose x axis has its scale.
        style: colour and marker.
        place: which line it is, of how many: their bars stand beside each other.
        x: the axis along which it goes.
        found: of `means_over` that axis alone.
    """
    found = found.sortby(x)
    index, count = place
    places = _beside(axes, found[x].values.astype(float), (index - (count - 1) / 2) * APART)
    half = [(found["mean"] - found["low"]).fillna(0), (found["high"] - found["mean"]).fillna(0)]
    axes.errorbar(places, found["mean"], yerr=half, color=style[0], marker=style[1], **_LINE)


_LINE: dict[str, Any] = {
    "markersize": 4.5,
    "linewidth": 1.2,
    "elinewidth": 1.0,
    "capsize": 2.0,
}


def _beside(axes: Axes, values: np.ndarray, shift: float) -> np.ndarray:
    """Places moved by a share of the axis, whatever its scale."""
    scale = axes.xaxis.get_transform()
    moved = scale.transform(values)
    span = np.ptp(moved) or 1.0
    return np.asarray(scale.inverted().transform(moved + shift * span))


def keys(named: Mapping[str, tuple[str, str]]) -> list[Line2D]:
    """What lines of a colour and marker are, for a legend."""
    return [
        Line2D([], [], color=colour, marker=marker, markersize=4.5, linewidth=1.2, label=name)
        for name, (colour, marker) in named.items()
    ]


def way_keys(ways: Sequence[str]) -> list[Line2D]:
    """What the lines of ways of aligning are."""
    return keys({ALIGNED[way]: WAYS[way] for way in ways})

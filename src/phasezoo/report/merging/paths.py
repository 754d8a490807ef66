"""Error and loss on the way from one model to the other, with what lies beside it as levels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from phasezoo.report import arms
from phasezoo.report.canvas import COLUMNS, WIDTH, styled
from phasezoo.report.colours import BESIDE, WAYS
from phasezoo.report.intervals import means_over
from phasezoo.report.merging.entries import labels_of, name_of
from phasezoo.report.merging.measures import arms_of
from phasezoo.vocabulary import LOAD

ROWS = {  # path, level, factor, title
    "path_test_error": ("judged_pair_baseline_error", 100.0, "Test error (%)"),
    "path_test_loss": ("judged_pair_baseline_loss", 1.0, "Test loss ({loss})"),
}


def path_figures(merging: xr.Dataset, loss: str) -> Iterator[tuple[str, Figure]]:
    """For each correction: a column per load (three to a figure), lines with bands per alignment.

    Args:
        merging: results at one epoch, judged.
        loss: unit of the loss.
    """
    ordered = merging.sortby(LOAD)
    there = arms_of(ordered[["path_test_error"]])
    for correction in dict.fromkeys(c for _, c in there):
        ways = [way for way, corrected in there if corrected == correction]
        for start in range(0, ordered.sizes[LOAD], COLUMNS):
            part = ordered.isel({LOAD: slice(start, start + COLUMNS)})
            yield correction, _figure(part.sel(correction=correction), ways, loss)


def _figure(data: xr.Dataset, ways: list[str], loss: str) -> Figure:
    baselines = [name for name in BESIDE if name in data["baseline"].values]
    with styled():
        figure = Figure(figsize=(WIDTH, 6.4), layout="constrained")
        grid = figure.subplots(len(ROWS), data.sizes[LOAD], squeeze=False)
        for row, (path, (level, factor, title)) in zip(grid, ROWS.items(), strict=True):
            for place, axes in enumerate(row):
                at = data.isel({LOAD: place})
                for way in ways:
                    _draw_path(axes, way, factor * at[path].sel(alignment=way))
                for name in baselines:
                    _draw_level(axes, name, factor * at[level].sel(baseline=name, outputs="test"))
                _finish(axes, f"{name_of(data[LOAD])} {labels_of(data[LOAD])[place]}")
            row[0].set_ylabel(title.format(loss=loss).replace(" ()", ""))
        figure.legend(handles=_keys(ways, baselines), loc="outside lower center", ncols=4)
    return figure


def _draw_path(axes: Axes, way: str, path: xr.DataArray) -> None:
    colour, marker = WAYS[way]
    found = means_over(path.astype("float64"), ["t"], 0.0)
    t = found["t"].values
    axes.fill_between(t, found["low"], found["high"], color=colour, alpha=0.15, linewidth=0)
    every = max(1, len(t) // 10)
    axes.plot(t, found["mean"], color=colour, marker=marker, markevery=every, **_LINE)


_LINE: dict[str, Any] = {"markersize": 4, "linewidth": 1.3}


def _draw_level(axes: Axes, name: str, values: xr.DataArray) -> None:
    mean = float(means_over(values.astype("float64"), ())["mean"])
    if np.isfinite(mean):
        colour, dashes = BESIDE[name]
        axes.axhline(mean, color=colour, linestyle=dashes, linewidth=1.1)


def _finish(axes: Axes, title: str) -> None:
    axes.set_title(title)
    axes.set_xlabel("from the first model (0) to the second (1)")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def _keys(ways: list[str], baselines: list[str]) -> list[Line2D]:
    lines = [
        Line2D([], [], color=WAYS[way][0], marker=WAYS[way][1], label=arms.ALIGNED[way], **_LINE)
        for way in ways
    ]
    levels = [
        Line2D([], [], color=BESIDE[n][0], linestyle=BESIDE[n][1], label=arms.BESIDE[n])
        for n in baselines
    ]
    return [*lines, *levels]

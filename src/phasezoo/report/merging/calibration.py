"""How far the confidence of many models merged can be trusted: reliability diagrams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phasezoo.report import arms
from phasezoo.report.canvas import COLUMNS, panelled, styled
from phasezoo.report.colours import BESIDE, WAYS
from phasezoo.report.intervals import means_over
from phasezoo.report.merging.entries import labels_of, name_of
from phasezoo.report.merging.measures import arms_of
from phasezoo.vocabulary import LOAD

FEWEST = 5.0  # samples in a bin that is drawn; fewer tell little of their accuracy
SHOWN = ("single", "ensemble")
SOUP = {"soup": "uniform", "outputs": "test"}

Curve = tuple[np.ndarray, np.ndarray, np.ndarray]  # count, confidence, accuracy, each [bins]


def has_curves(merging: xr.Dataset) -> bool:
    """Whether what lies in the bins of confidence was stored of soups."""
    name = "judged_soup_bin_count"
    return name in merging and "bin" in merging[name].dims and bool(merging[name].notnull().any())


def curve(merging: xr.Dataset, prefix: str) -> Curve:
    """Count, confidence and accuracy of every bin over all blocks and temperatures together.

    Args:
        merging: at one load, of one merge or baseline.
        prefix: of the stored variables.
    """
    count, confidence, accuracy = (
        merging[f"{prefix}_bin_{name}"].astype("float64").transpose(..., "bin")
        for name in ("count", "confidence", "accuracy")
    )
    others = [dim for dim in count.dims if dim != "bin"]
    total = count.sum(others)
    means = ((count * of).sum(others) / total.where(total > 0) for of in (confidence, accuracy))
    return (total.values, *(mean.values for mean in means))  # type: ignore[return-value]


def reliability_figures(merging: xr.Dataset) -> Iterator[tuple[str, Figure]]:
    """For each correction a panel per load: uniform soups aligned each way, models, ensemble.

    Args:
        merging: results at one epoch, with curves.
    """
    ordered = merging.sortby(LOAD)
    there = arms_of(ordered[["judged_soup_error"]])
    for correction in dict.fromkeys(c for _, c in there):
        ways = [way for way, corrected in there if corrected == correction]
        yield correction, _figure(ordered.sel(correction=correction), ways)


def _figure(data: xr.Dataset, ways: list[str]) -> Figure:
    with styled():
        figure, all_axes = panelled(max(data.sizes[LOAD], COLUMNS), 5.2)
        for spare in all_axes[data.sizes[LOAD] :]:
            spare.set_axis_off()
        for place, label in enumerate(labels_of(data[LOAD])):
            at, axes = data.isel({LOAD: place}), all_axes[place]
            for way in ways:
                colour, marker = WAYS[way]
                of = at.sel({"alignment": way, **SOUP})
                _draw(axes, of, "judged_soup", arms.ALIGNED[way], color=colour, marker=marker)
            for name in SHOWN:
                colour, dashes = BESIDE[name]
                of = at.sel(baseline=name, outputs="test")
                _draw(
                    axes, of, "judged_baseline", arms.BESIDE[name], color=colour, linestyle=dashes
                )
            _finish(axes, f"{name_of(data[LOAD])} {label}")
    return figure


def _draw(axes: Axes, of: xr.Dataset, prefix: str, name: str, **look: Any) -> None:
    count, confidence, accuracy = curve(of, prefix)
    shown = count >= FEWEST
    gap = float(means_over(of[f"{prefix}_calibration_error"], ())["mean"])
    label = f"{name}: {100 * gap:.1f} %"
    axes.plot(confidence[shown], accuracy[shown], markersize=4, linewidth=1.2, label=label, **look)


def _finish(axes: Axes, title: str) -> None:
    axes.axline((0, 0), slope=1, color="#999999", linewidth=0.8, zorder=0)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_box_aspect(1)
    axes.set_title(title)
    axes.set_xlabel("confidence")
    axes.set_ylabel("accuracy")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), fontsize=7.5)

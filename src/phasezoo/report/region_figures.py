"""Figures of a region study: similarities, lines through models, gains by where tuning starts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from phasezoo.report.canvas import WIDTH, styled
from phasezoo.report.region_inside import level_of_nothing
from phasezoo.store.variables.regions import OF_PAIR_OF_TUNED, OF_TUNED

# Okabe and Ito, as `phasezoo.report.colours` has them, and their black
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#000000")
MARKERS = "osD^vP"


def similarity_figure(data: xr.Dataset) -> Figure:
    """Cosines of all pairs of task vectors, start by start, family by family, data set by data set.

    Thin lines part data sets, thick ones families; models that diverged are grey.
    """
    cosines = data["task_vector_cosine"].transpose(*OF_PAIR_OF_TUNED)
    size = int(np.prod(cosines.shape[:3]))
    values = cosines.values.reshape(size, size)
    with styled():
        figure = Figure(figsize=(WIDTH, WIDTH * 0.78), layout="constrained")
        axes = figure.subplots()
        axes.set_facecolor("#d9d9d9")
        low = min(0.0, float(np.nanmin(values, initial=0.0)))
        drawn = axes.pcolormesh(values, cmap="viridis", norm=Normalize(low, 1))
        figure.colorbar(drawn, ax=axes, label="cosine of two task vectors", shrink=0.8)
        _label_blocks(axes, data, size)
        axes.invert_yaxis()
        axes.set_aspect("equal")
    return figure


def _label_blocks(axes: Axes, data: xr.Dataset, size: int) -> None:
    """Names of data sets in the middle of their models, and lines between them."""
    starts, datasets, seeds = (data[axis].values for axis in OF_TUNED)
    families = data["family"].values
    several = len(starts) > 1
    names = [
        f"{dataset} ({start.replace('_', ' ')})" if several else str(dataset)
        for start, dataset in product(starts, datasets)
    ]
    middles = (np.arange(len(names)) + 0.5) * len(seeds)
    axes.set_xticks(middles, names, rotation=90)
    axes.set_yticks(middles, names)
    axes.tick_params(length=0)
    for place in range(1, len(names)):
        here, before = (families[i % len(datasets)] for i in (place, place - 1))
        new = here != before or place % len(datasets) == 0
        for line in (axes.axvline, axes.axhline):
            line(place * len(seeds), color="white", linewidth=1.6 if new else 0.4)


def line_figure(data: xr.Dataset) -> Figure:
    """Loss with a new head along straight lines: between two models, and beyond them.

    Over that of the pre-trained body, so that data sets of few and many classes can be compared.
    Thin: the mean over the lines of a data set; thick: the median over the data sets, which a
    head that went astray in one place does not move. Dotted: the loss of knowing nothing, where
    all data sets have it at the same height.
    """
    nothing = level_of_nothing(data)
    losses = data["line_probe_loss"].mean("line") / data["start_probe_loss"]
    alphas = losses["alpha"].values
    between = (alphas >= 0) & (alphas <= 1)
    with styled():
        figure = Figure(figsize=(WIDTH, 3.8), layout="constrained")
        inner, outer = figure.subplots(1, 2, sharey=True)
        for axes, chosen in ((inner, between), (outer, np.ones_like(between))):
            for place, level in enumerate(losses["level"].values):
                of_level = losses.sel(level=level).isel(alpha=chosen)
                _line(axes, of_level, COLOURS[place % len(COLOURS)], MARKERS[place], str(level))
            axes.axhline(1, color="#666666", linewidth=0.8, zorder=0)
            if nothing is not None:
                axes.axhline(nothing, color="#666666", linewidth=0.8, linestyle=":", zorder=0)
            axes.set_yscale("log")
            axes.set_xlabel("place on the line: 0 and 1 are the models")
            axes.spines[["top", "right"]].set_visible(False)
            axes.grid(alpha=0.3)
        outer.set_xscale("symlog", linthresh=1)
        inner.set_title("Between two models")
        outer.set_title("Beyond them")
        inner.set_ylabel("test loss / that of the pre-trained body")
        handles, labels = inner.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right center", title="models of one")
    return figure


def _line(axes: Axes, losses: xr.DataArray, colour: str, marker: str, label: str) -> None:
    for dataset in losses["dataset"].values:
        one = losses.sel(dataset=dataset)
        axes.plot(one["alpha"], one, color=colour, linewidth=0.5, alpha=0.5)
    middle = losses.median("dataset")
    axes.plot(middle["alpha"], middle, f"{marker}-", color=colour, markersize=3.5, label=label)


def gain_figure(data: xr.Dataset, arms: Sequence[str]) -> Figure:
    """Test error saved by another start of a tuning of few parameters, data set by data set.

    A column for each share of the training set, a row for what is trained; means over the draws
    of paired differences with their 95 % intervals, and at the bottom those over the data sets.

    Args:
        data: the results.
        arms: that are drawn.
    """
    samples, trained = data["samples"].values, data["trained"].values
    rows = [*map(str, data["dataset"].values), "all"]
    height = len(trained) * (0.9 + 0.3 * len(rows)) + 0.6
    with styled():
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        all_axes = list(figure.subplots(len(trained), len(samples), squeeze=False).ravel())
        for axes, (what, share) in zip(all_axes, product(trained, samples), strict=True):
            at = {"samples": share, "trained": what}
            for place, arm in enumerate(arms):
                of_arm = data.sel(at | {"arm": arm})
                offset = 0.7 * ((place + 0.5) / len(arms) - 0.5)
                _forest(axes, of_arm, offset, place, arm)
            _frame(axes, rows, f"{share} samples, {TRAINED[str(what)]}")
        handles, labels = all_axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


TRAINED = {"biases": "biases and head", "head": "head alone"}


def _forest(axes: Axes, of_arm: xr.Dataset, offset: float, place: int, words: str) -> None:
    colour = COLOURS[place % len(COLOURS)]
    mean, low, high = (
        100 * np.append(of_arm[f"efficient_gain{end}"].values, of_arm[f"overall_gain{end}"])
        for end in ("", "_low", "_high")
    )
    where = np.arange(len(mean)) + offset
    axes.hlines(where, low, high, color=colour, linewidth=1.6)
    axes.plot(mean, where, MARKERS[place % len(MARKERS)], color=colour, markersize=4, label=words)


def _frame(axes: Axes, rows: Sequence[str], title: str) -> None:
    axes.axvline(0, color="#666666", linewidth=0.8, zorder=0)
    axes.axhline(len(rows) - 1.5, color="#666666", linewidth=0.8)
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel("test error saved (percentage points)")
    axes.set_title(title)
    axes.spines[["top", "right"]].set_visible(False)

"""Barriers over the epochs of training: when models become such that they can be merged."""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phasezoo.report.arms import CORRECTED
from phasezoo.report.canvas import panelled, styled
from phasezoo.report.colours import WAYS
from phasezoo.report.intervals import means_over
from phasezoo.report.merging.axes import epoch_axis, value_axis, way_keys
from phasezoo.report.merging.entries import arm_title, entry, labels_of, name_of
from phasezoo.report.merging.measures import ARM, LEAST, TRAIN, arms_of, epochs_of
from phasezoo.report.panels import Panel
from phasezoo.report.tables import Table
from phasezoo.vocabulary import EPOCH, LOAD


def against_epoch(found: xr.Dataset) -> xr.Dataset:
    """Means over (load, epoch, alignment, correction) of the training-loss barrier.

    Args:
        found: of `measures.barriers`, at many epochs.
    """
    there = found[TRAIN].sel({EPOCH: epochs_of(found)}).sortby(LOAD)
    return means_over(there, [LOAD, EPOCH, *ARM], LEAST[TRAIN])


def epoch_figure(means: xr.Dataset, correction: str, panel: Panel) -> Figure:
    """A panel per load, in each a line per alignment with its interval as a band."""
    ways = [way for way, corrected in arms_of(means[["mean"]]) if corrected == correction]
    of = means.sel(correction=correction)
    titles = [f"{name_of(means[LOAD])} {label}" for label in labels_of(means[LOAD])]
    with styled():
        figure, all_axes = panelled(len(titles), 2.4)
        for place, (axes, title) in enumerate(zip(all_axes, titles, strict=True)):
            epoch_axis(axes, means[EPOCH].values.tolist())
            for way in ways:
                _band(axes, way, of.isel({LOAD: place}).sel(alignment=way))
            value_axis(axes, panel, of)
            axes.set_title(title)
            axes.set_ylabel(panel.unit)
        figure.legend(handles=way_keys(ways), loc="outside lower center", ncols=4)
    return figure


def _band(axes: Axes, way: str, found: xr.Dataset) -> None:
    colour, marker = WAYS[way]
    epochs = found[EPOCH].values
    lowest = float(found["mean"].where(found["mean"] > 0).min()) / 100  # below the edge of a panel
    low = found["low"].clip(min=lowest) if lowest > 0 else found["low"]
    axes.fill_between(epochs, low, found["high"], color=colour, alpha=0.18, linewidth=0)
    axes.plot(epochs, found["mean"], color=colour, marker=marker, markersize=4, linewidth=1.2)


def epoch_table(means: xr.Dataset, panel: Panel) -> Table:
    """A line per load and arm, a column per epoch."""
    epochs: Sequence[int] = means[EPOCH].values.tolist()
    usual = int(means["values"].max())
    lines = [
        (
            f"{name_of(means[LOAD])} {label}: {arm_title(*arm)}",
            [entry(of.sel({EPOCH: epoch}), panel, usual) for epoch in epochs],
        )
        for place, label in enumerate(labels_of(means[LOAD]))
        for arm in arms_of(means[["mean"]])
        for of in [means.isel({LOAD: place}).sel(dict(zip(ARM, arm, strict=True)))]
    ]
    heads = [(f"epoch {epoch}", "", "") for epoch in epochs]
    return Table(panel.title, "load, arm", heads, lines)


def corrections_of(means: xr.Dataset) -> list[str]:
    """The corrections of which there is any value."""
    return list(dict.fromkeys(c for _, c in arms_of(means[["mean"]]) if c in CORRECTED))

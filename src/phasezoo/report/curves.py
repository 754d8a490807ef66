"""Figures of means: per phase with their doubt, and over the epochs."""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phasezoo.report.canvas import WIDTH, panelled, styled
from phasezoo.report.colours import PHASE_COLOURS
from phasezoo.report.panels import Panel
from phasezoo.report.results import ZooResults
from phasezoo.report.summary import cell_means, per_phase
from phasezoo.report.words import NOUNS
from phasezoo.vocabulary import EPOCH, FIVE_PHASES, LOAD, TEMPERATURE, THREE_REGIMES

_MARKERS = dict(zip((*FIVE_PHASES, *THREE_REGIMES), "osD^vo^v", strict=True))
_COLOURS = {phase.title: PHASE_COLOURS[phase] for phase in _MARKERS}


def effects(panels: Sequence[Panel], data: xr.Dataset, phase: xr.DataArray) -> Figure:
    """Mean and 95 % confidence interval of each panel, one row per phase that occurs.

    Args:
        panels: what to draw.
        data: a group at one epoch.
        phase: `phase` over load and temperature.
    """
    with styled():
        figure, all_axes = panelled(len(panels), 2.2)
        for axes, panel in zip(all_axes, panels, strict=True):
            _effect(axes, panel, panel.of(data), phase)
    return figure


def _effect(axes: Axes, panel: Panel, values: xr.DataArray, phase: xr.DataArray) -> None:
    rows = [row for row in per_phase(values, phase) if row.group in _COLOURS]
    for place, row in enumerate(rows):
        colour = _COLOURS[row.group]
        axes.plot([row.low, row.high], [place, place], color=colour, linewidth=3)
        axes.plot(row.mean, place, "o", color=colour, markeredgecolor="black")
    axes.axvline(0, color="#666666", linewidth=0.8, zorder=0)
    axes.set_yticks(range(len(rows)), [row.group for row in rows])
    axes.set_ylim(max(len(rows), 1) - 0.5, -0.5)
    axes.set_xlabel(panel.unit)
    axes.set_title(panel.title)
    axes.spines[["top", "right"]].set_visible(False)


def learning_curves(results: ZooResults) -> Figure:
    """Training and test error over the epochs: the mean of the cells of each phase.

    A cell keeps the phase it has at the epoch shown.
    """
    noun = NOUNS[results.labelling.criteria.scheme]
    with styled():
        figure = Figure(figsize=(WIDTH, 3.6), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        for axes, name, title in (
            (left, "train_error", "Training error"),
            (right, "test_error", "Test error"),
        ):
            if name in results.metrics:
                _curves(axes, results.metrics[name], results.phase)
            axes.set_title(title)
            axes.set_xlabel("epoch")
            axes.grid(alpha=0.3)
            axes.spines[["top", "right"]].set_visible(False)
        left.set_ylabel(f"mean over the cells of a {noun} (%)")
        handles, labels = left.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right center", title=noun)
    return figure


def _curves(axes: Axes, errors: xr.DataArray, phase: xr.DataArray) -> None:
    cells = cell_means(errors, keep=(EPOCH,)) * 100
    for which, marker in _MARKERS.items():
        line = cells.where(phase.drop_vars(EPOCH) == which).mean([LOAD, TEMPERATURE]).dropna(EPOCH)
        if line.size:
            colour = PHASE_COLOURS[which]
            axes.plot(line[EPOCH], line, f"{marker}-", color=colour, label=which.title)

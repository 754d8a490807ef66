"""What learners tell from weights: their scores, and what they predicted against what is true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from phasezoo.learning.targets import GAP, PHASE, target
from phasezoo.report.canvas import panelled, styled
from phasezoo.report.colours import PHASE_COLOURS, ink_on
from phasezoo.report.results import ZooResults
from phasezoo.report.tables import NOTHING
from phasezoo.store.variables.learning import HOW
from phasezoo.vocabulary import EPOCH, Phase

SCORES = {
    "test_error_r2": "R² of test error",
    "generalisation_gap_r2": "R² of generalisation gap",
    "phase_accuracy": "accuracy of phase",
    "phase_balanced_accuracy": "balanced accuracy of phase",
}
INPUTS = {
    "nothing": "nothing: the mean, the most frequent",
    "position": "position in the grid",
    "weights": "statistics of the weights",
    "both": "position and weights",
}
LEARNERS = {"ridge": "ridge regression", "boosting": "boosted trees"}
SHOWN = {"inputs": "weights", "learner": "boosting"}  # in the figure


@dataclass(frozen=True)
class Line:
    """The scores of one learner, each with its interval."""

    left_out: str
    inputs: str
    learner: str
    scores: list[tuple[str, str]]


def score_lines(learning: xr.Dataset) -> list[Line]:
    """The table of scores; the question that is harder comes last."""
    lines = []
    for words in product(*(learning[axis].values.tolist() for axis in HOW)):
        of = learning.sel(dict(zip(HOW, words, strict=True)))
        left_out, inputs, learner = words
        scores = [(_number(of[s]), _interval(of[f"{s}_low"], of[f"{s}_high"])) for s in SCORES]
        lines.append(Line(left_out, INPUTS[inputs], LEARNERS[learner], scores))
    return lines


def _number(value: xr.DataArray) -> str:
    number = float(value)
    return f"{number:.2f}".replace("-", "\N{MINUS SIGN}") if np.isfinite(number) else NOTHING


def _interval(low: xr.DataArray, high: xr.DataArray) -> str:
    return f"[{_number(low)}, {_number(high)}]" if np.isfinite(float(low)) else ""


def told(learning: xr.Dataset) -> int:
    """How many checkpoints have a prediction of their test error."""
    found = learning["predicted_test_error"].notnull()
    return int(found.any(list(HOW)).sum())


def prediction_figure(results: ZooResults, learning: xr.Dataset) -> Figure:
    """Predicted against true, for every checkpoint that was predicted with others left out.

    Errors and gaps as points in the colour of the phase of the cell, phases as counts; told by
    boosted trees from the weights, leaving out what stands last in the table.
    """
    shown = learning.sel(SHOWN).isel(left_out=-1)
    groups = {"metrics": results.metrics, "phases": results.phases}
    labels = results.labelling.scheme.labels
    with styled():
        figure, axes = panelled(3, 3.2)
        phase = _true(PHASE, groups, shown)
        for place, (name, title) in enumerate((("test_error", "Test error"), (GAP, "Gap"))):
            true, predicted = _true(name, groups, shown), shown[f"predicted_{name}"].values.ravel()
            _scatter(axes[place], 100 * true, 100 * predicted, phase, labels)
            axes[place].set_title(title)
        _confusion(axes[2], phase, shown["predicted_phase"].values.ravel(), labels)
    return figure


def _true(name: str, groups: dict[str, xr.Dataset], shown: xr.Dataset) -> np.ndarray:
    found = target(name, groups).reindex({EPOCH: shown[EPOCH]}).transpose(*_dims(shown))
    return np.asarray(found.values.ravel())


def _dims(shown: xr.Dataset) -> tuple[str, ...]:
    return tuple(map(str, shown["predicted_test_error"].dims))


def _scatter(
    axes: Axes, true: np.ndarray, predicted: np.ndarray, phase: np.ndarray, labels: Sequence[Phase]
) -> None:
    there = np.isfinite(true) & np.isfinite(predicted)
    for label in (*labels, Phase.MISSING):
        of = there & (np.nan_to_num(phase, nan=Phase.MISSING) == label)
        if of.any():
            colour = PHASE_COLOURS[label]
            axes.plot(true[of], predicted[of], "o", color=colour, markersize=4, label=label.title)
    axes.axline((0, 0), slope=1, color="#666666", linewidth=0.8, zorder=0)
    axes.set_xlabel("true (%)")
    axes.set_ylabel("predicted (%)")
    axes.legend(fontsize=7)
    axes.spines[["top", "right"]].set_visible(False)


def _confusion(
    axes: Axes, true: np.ndarray, predicted: np.ndarray, labels: Sequence[Phase]
) -> None:
    """Counts of checkpoints; the rows are what is predicted, the columns what is true."""
    counts = np.array([[np.sum((true == t) & (predicted == p)) for t in labels] for p in labels])
    drawn = axes.pcolormesh(counts, cmap="Blues", edgecolors="white", linewidth=1)
    for (row, column), count in np.ndenumerate(counts):
        ink = ink_on(to_hex(drawn.to_rgba(np.array(count))))
        axes.text(column + 0.5, row + 0.5, str(count), ha="center", va="center", color=ink)
    places, names = np.arange(len(labels)) + 0.5, [label.title for label in labels]
    axes.set_xticks(places, names)
    axes.set_yticks(places, names)
    axes.set_xlabel("true")
    axes.set_ylabel("predicted")
    axes.set_title("Checkpoints per label")

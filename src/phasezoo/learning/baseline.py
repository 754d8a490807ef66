"""How well simple learners tell errors and phases from the statistics of weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from typing import get_args

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from phasezoo.learning.inputs import Floats, Inputs, inputs
from phasezoo.learning.learners import Kind, Learner, predictions
from phasezoo.learning.scores import Score, accuracy, balanced_accuracy, r2
from phasezoo.learning.sides import Names, place, units
from phasezoo.learning.targets import GAP, PHASE, target
from phasezoo.spec.learning import Learning
from phasezoo.store.schema import missing_value
from phasezoo.store.variables import OF_MODEL, VARIABLES
from phasezoo.store.variables.learning import ENDS, HOW, LEARNING
from phasezoo.vocabulary import EPOCH

Scorer = Callable[[Floats, Floats, Names, int], Score]

TARGETS: Mapping[str, tuple[Kind, Mapping[str, Scorer]]] = {
    "test_error": ("number", {"r2": r2}),
    GAP: ("number", {"r2": r2}),
    PHASE: ("class", {"accuracy": accuracy, "balanced_accuracy": balanced_accuracy}),
}


def baseline(zoo: str, metrics: xr.Dataset, phases: xr.Dataset, options: Learning) -> xr.Dataset:
    """Predictions of test error, generalisation gap and phase, each made without its model.

    Cross-validation over folds of models, or of whole cells, into which a hash of their names puts
    them: a zoo that grows moves none. The same is told from nothing (the mean, the most frequent
    phase), from the position in the grid, and from both, so that it can be seen what weights tell
    beyond load and temperature. Only checkpoints with finite weights take part, and only those that
    have what is to be told. Intervals are percentile bootstraps over cells, whatever was left out:
    models of a cell share its phase and nearly its errors, and are told alike. They hold the chance
    of which cells were predicted, and not that of which models were learned from.

    Args:
        zoo: its name.
        metrics: with errors and `weight_statistics`.
        phases: with `phase`.
        options: epochs, what is left out, folds, resamples.

    Returns:
        The variables of `phasezoo.store.variables.learning`, NaN or missing where there is none.
    """
    epochs = {EPOCH: np.array(options.epochs, dtype=np.int32)}
    grid, groups = metrics.reindex(epochs), {"metrics": metrics, "phases": phases}
    true = {name: target(name, groups).reindex(epochs).values.ravel() for name in TARGETS}
    known = inputs(grid)
    finite, cells = np.isfinite(known["weights"]).all(axis=1), units("cell", zoo, grid)
    out = _empty(grid, options)
    for by in options.left_out:
        names = units(by, zoo, grid)
        folds = np.array([int(place(name) * options.folds) for name in names])
        for name, given, learner in product(TARGETS, known, get_args(Learner)):
            rows = finite & np.isfinite(true[name])
            y, X, of = true[name][rows], known[given][rows], names[rows]
            told = predictions(learner, TARGETS[name][0], X, y, of, folds[rows])
            at = {"left_out": by, "inputs": given, "learner": learner}
            out[f"predicted_{name}"].loc[at] = _on_grid(f"predicted_{name}", told, rows, grid)
            for score, found in _scores(name, y, told, cells[rows], options.resamples).items():
                out[score].loc[at] = found
    return out


def _scores(
    name: str, true: Floats, told: Floats, cells: Names, resamples: int
) -> dict[str, float]:
    """Every score of a target, and the ends of its interval, over what was told."""
    there = np.isfinite(told)
    found = {
        f"{name}_{score}": scorer(true[there], told[there], cells[there], resamples)
        for score, scorer in TARGETS[name][1].items()
    }
    return {f"{s}{end}": getattr(f, part) for s, f in found.items() for end, part in ENDS.items()}


def _empty(grid: xr.Dataset, options: Learning) -> xr.Dataset:
    """Every variable over its axes, with nothing in it."""
    words = (options.left_out, get_args(Inputs), get_args(Learner))
    names = {axis: np.array(w, dtype=object) for axis, w in zip(HOW, words, strict=True)}
    out = xr.Dataset(coords={**{axis: grid[axis].values for axis in OF_MODEL}, **names})
    for variable in LEARNING:
        shape = tuple(out.sizes[dim] for dim in variable.dims)
        empty = np.full(shape, missing_value(variable), dtype=variable.dtype)
        out[variable.name] = (variable.dims, empty)
    return out


def _on_grid(
    name: str, told: Floats, rows: NDArray[np.bool_], grid: xr.Dataset
) -> NDArray[np.generic]:
    """What was told of some checkpoints, as a variable over all."""
    missing = missing_value(VARIABLES[name])
    out = np.full(rows.size, missing, dtype=np.float64)
    out[rows] = np.where(np.isfinite(told), told, missing)
    return out.reshape([grid.sizes[axis] for axis in OF_MODEL])

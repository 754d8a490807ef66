"""What the columns of the published summary tables hold, and how it becomes ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasezoo.store.variables import OF_CELL, OF_MODEL

LOADS = ("width", "embedding_dim")  # which is the width of a transformer
TEMPERATURES = {"batch_size": "batchsize", "learning_rate": "lr", "weight_decay": "wd"}
SETTINGS = ("lr", "wd", "init_type", "batchsize")  # by which the zoos of a table may differ
TRIALS = ("trial_id", "model")  # names of what was trained
OTHERS = (*TRIALS, "init_type")  # which decide no number here
ROUNDING = 1e-6  # of a number that is written out anew
LOSSES = ("train_loss", "test_loss")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Column:
    """What a column holds: our name for it, its dims, how it becomes ours, and what to know."""

    name: str
    dims: tuple[str, ...]
    ours: Callable[[Floats], Floats] = lambda values: values
    comment: str = ""


def error_of(accuracy: Floats) -> Floats:
    """The share of samples misclassified."""
    return 1 - accuracy


def fraction_of(points: Floats) -> Floats:
    """Percentage points as a fraction."""
    return points / 100


_RUNNING = "running mean over the epoch, of augmented samples, while the model changed"
_PAIRS = "mean over the pairs of seeds of a cell"
_SEEDS = "mean over the seeds of a cell, on 640 samples"

COLUMNS = {
    "train_loss": Column("train_loss", OF_MODEL, comment=_RUNNING),
    "train_acc": Column("train_error", OF_MODEL, error_of, _RUNNING),
    "test_loss": Column("test_loss", OF_MODEL),
    "test_acc": Column("test_error", OF_MODEL, error_of),
    "representation_similarity": Column("cka", OF_CELL, comment=_PAIRS),
    "curve_mc_train_error": Column("mode_connectivity", OF_CELL, fraction_of, _PAIRS),
    "curve_mc_test_error": Column("mode_connectivity_test", OF_CELL, fraction_of, _PAIRS),
    "log_hessian_trace_train": Column("hessian_trace", OF_CELL, np.exp, _SEEDS),
    "log_hessian_top_ev_val": Column("hessian_top_eigenvalue_test", OF_CELL, np.exp, _SEEDS),
}

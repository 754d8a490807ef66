"""The baselines: ridge regression and boosted trees, of numbers and of classes."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import RidgeClassifierCV, RidgeCV
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from phasezoo.learning.sides import Names

Floats = NDArray[np.float64]
Learner = Literal["ridge", "boosting"]
Kind = Literal["number", "class"]

PENALTIES = np.logspace(-2, 4, 13)
FOLDS = 5  # within the models that are learned from, to choose the penalty
TREES: dict[str, Any] = {
    "max_iter": 100,
    "learning_rate": 0.1,
    "min_samples_leaf": 5,  # of a hundred models; the usual 20 leaves few splits
    "early_stopping": False,
    "random_state": 0,  # it draws nothing here: no early stopping, few enough rows for all bins
}


def predictions(
    learner: Learner,
    kind: Kind,
    inputs: Floats,
    targets: Floats,
    units: Names,
    folds: NDArray[np.int64],
) -> Floats:
    """What is predicted of every row by a learner that has seen no row of its fold.

    Ridge regression is of the inverse hyperbolic sines of standardised inputs, its penalty chosen
    by cross-validation that leaves out whole units among those learned from; of classes, it is
    regression on +-1. Trees are scikit-learn's histogram gradient boosting (after LightGBM) with
    fixed settings.

    Args:
        learner: which.
        kind: what the targets are.
        inputs: [rows, features], finite.
        targets: [rows], finite.
        units: of each row: what must not be on both sides of an inner split.
        folds: of each row.

    Returns:
        [rows]; NaN in a fold without any row outside.
    """
    out = np.full(len(targets), np.nan)
    for fold in np.unique(folds):
        held = folds == fold
        if not held.all():
            seen = inputs[~held], targets[~held], units[~held]
            out[held] = _fitted(learner, kind, *seen, inputs[held])
    return out


def _fitted(
    learner: Learner, kind: Kind, inputs: Floats, targets: Floats, units: Names, new: Floats
) -> Floats:
    if len(np.unique(targets)) == 1:  # nothing to learn, and a classifier would refuse
        return np.full(len(new), targets[0])
    model = _model(learner, kind, _inner_splits(inputs, units))
    return np.asarray(model.fit(inputs, targets).predict(new), dtype=np.float64)


def _model(learner: Learner, kind: Kind, splits: list[Any] | None) -> Any:
    match learner, kind:
        case "ridge", "number":
            # unlike R2, the squared error of a single row is well defined
            return _damped(RidgeCV(PENALTIES, cv=splits, scoring="neg_mean_squared_error"))
        case "ridge", "class":
            return _damped(RidgeClassifierCV(PENALTIES, cv=splits))
        case "boosting", "number":
            return HistGradientBoostingRegressor(**TREES)
        case _:
            return HistGradientBoostingClassifier(**TREES)


def _damped(model: Any) -> Any:
    """A linear model of inputs with long tails; a model beyond all others is not sent far away."""
    return make_pipeline(StandardScaler(), FunctionTransformer(np.arcsinh), model)


def _inner_splits(inputs: Floats, units: Names) -> list[Any] | None:
    """Splits that keep units whole; None, for leaving out single rows, where there is but one."""
    folds = min(FOLDS, len(np.unique(units)))
    return list(GroupKFold(folds).split(inputs, groups=units)) if folds > 1 else None

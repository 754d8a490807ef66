"""What lies between two models: a Bezier curve, a straight line, and their heights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from phasezoo.landscape.curve import Floats, Profile, barrier, mode_connectivity, most_deviating
from phasezoo.landscape.estimate import Estimate
from phasezoo.landscape.refine import Samples

TRAIN_LOSS, TRAIN_ERROR, TEST_LOSS, TEST_ERROR = range(4)  # columns of the values of a path


@dataclass(frozen=True)
class Connection:
    """How well two models are connected. Errors and losses are those of the task.

    `mode_connectivity` and its kin are the mean of the ends minus the point of the curve that
    deviates most from it, refined points included (`curve.mode_connectivity`); barriers are the
    highest point minus the mean of the ends, never negative. With repeats, every number of the
    curve is the mean over independently trained curves, but for `mode_connectivity_at`, which is
    that of the first.

    Attributes:
        mode_connectivity: of the training error; its standard error is that of the mean over
            curves, not a number with one curve.
        mode_connectivity_test: of the test error.
        mode_connectivity_loss: of the training loss.
        mode_connectivity_test_loss: of the test loss.
        mode_connectivity_at: t of the point that decides `mode_connectivity`; 0 where no point
            between the ends deviates more than they do, and the sign is but that of the first.
        curve_barrier: of the training loss along the curve.
        curve_barrier_error: of the training error along the curve.
        linear_barrier: of the training loss along the straight line, on its grid.
        linear_barrier_error: of the training error there.
        linear_barrier_test: of the test loss there.
        linear_barrier_test_error: of the test error there.
        curve: on the equally spaced grid.
        line: on the same.
    """

    mode_connectivity: Estimate
    mode_connectivity_test: float
    mode_connectivity_loss: float
    mode_connectivity_test_loss: float
    mode_connectivity_at: float
    curve_barrier: float
    curve_barrier_error: float
    linear_barrier: float
    linear_barrier_error: float
    linear_barrier_test: float
    linear_barrier_test_error: float
    curve: Profile
    line: Profile

    def row(self) -> dict[str, float | Floats]:
        """By the names of the stored variables of the family; profiles are [points]."""
        numbers = {name: value for name, value in vars(self).items() if isinstance(value, float)}
        headline = self.mode_connectivity
        return {
            "mode_connectivity": headline.value,
            "mode_connectivity_standard_error": headline.standard_error,
            **numbers,
            **{f"curve_{name}": values for name, values in vars(self.curve).items()},
            **{f"line_{name}": values for name, values in vars(self.line).items()},
        }


def connection(curves: Sequence[Samples], straight: Samples, points: int) -> Connection:
    """The numbers of a pair from values along its curves, one for each repeat, and its line."""
    heights = np.array([[mode_connectivity(v) for v in curve.values.T] for curve in curves])
    climbs = np.array([[barrier(v) for v in curve.values.T] for curve in curves]).mean(axis=0)
    means = heights.mean(axis=0)
    lines = [barrier(v) for v in straight.values.T]
    on_grid = np.mean([curve.at(np.linspace(0, 1, points)) for curve in curves], axis=0)
    return Connection(
        mode_connectivity=Estimate(float(means[TRAIN_ERROR]), _spread(heights[:, TRAIN_ERROR])),
        mode_connectivity_test=float(means[TEST_ERROR]),
        mode_connectivity_loss=float(means[TRAIN_LOSS]),
        mode_connectivity_test_loss=float(means[TEST_LOSS]),
        mode_connectivity_at=_decides_at(curves[0]),
        curve_barrier=float(climbs[TRAIN_LOSS]),
        curve_barrier_error=float(climbs[TRAIN_ERROR]),
        linear_barrier=lines[TRAIN_LOSS],
        linear_barrier_error=lines[TRAIN_ERROR],
        linear_barrier_test=lines[TEST_LOSS],
        linear_barrier_test_error=lines[TEST_ERROR],
        curve=Profile(*on_grid.T),
        line=Profile(*straight.values.T),
    )


def not_measured(points: int) -> Connection:
    """Not a number throughout: a pair with an end that diverged."""
    nothing = Samples(np.linspace(0, 1, points), np.full((points, 4), np.nan))
    return connection([nothing], nothing, points)


def _decides_at(curve: Samples) -> float:
    errors = curve.values[:, TRAIN_ERROR]
    known = bool(np.isfinite(errors).all())
    return float(curve.t[most_deviating(errors)]) if known else float("nan")


def _spread(values: Floats) -> float:
    """Standard error of the mean; not a number for a single value."""
    if len(values) < 2:
        return float("nan")
    return float(values.std(ddof=1) / np.sqrt(len(values)))

"""How much of the variance between cells the phase explains beyond load and temperature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from phasezoo.phases.displaced import elsewhere
from phasezoo.phases.fits import Fit, beyond_position, fits, sum_of, without
from phasezoo.phases.projections import Floats, Labels, Position

NORMAL = 1.959964  # 97.5 % point of the normal distribution
_LEFT = 0.5  # least share of what position leaves that must be more than chance of seeds


@dataclass(frozen=True)
class Explained:
    """Shares of the variance between cells; not a number where they cannot be told.

    Of several folds, variances are averaged over them before shares are taken.

    Attributes:
        position: R2 of load and temperature.
        phase: R2 of the phase alone.
        both: R2 of load, temperature and phase.
        beyond: what the phase explains of the variance that load and temperature leave,
            1 - (RSS_both / df_both) / (RSS_position / df_position): 0 on average for labels
            without meaning, 1 if phases explain all.
        predicted: the same for cells that were left out, 1 - PRESS_both / PRESS_position; negative
            if knowing the phase makes predictions worse.
        chance: share of displaced maps of the same phases that explain as much, the map itself
            among them.
        maps: how many they are: `chance` is at least 1 / maps.
        low: lower end of the 95 % interval of `beyond` over the chance of seeds.
        high: its upper end.
        true: `beyond` without that chance: both variances less what seeds add to them. Only where
            both are then positive, and that of position is at least half of what it was; so it is
            never above 1.
    """

    position: float
    phase: float
    both: float
    beyond: float
    predicted: float
    chance: float
    maps: float
    low: float = np.nan
    high: float = np.nan
    true: float = np.nan


@dataclass(frozen=True)
class Doubt:
    """Chance of seeds in the numbers of cells, [load, temperature]; NaN where it is not known.

    Attributes:
        errors: squared standard errors of the means over folds.
        spread: variances between folds; nothing if there is one fold.
    """

    errors: Floats
    spread: Floats | None = None

    @property
    def of_a_fold(self) -> Floats:
        """Squared standard errors of the numbers of one fold."""
        return self.errors if self.spread is None else self.spread


NOTHING = Explained(*[np.nan] * 7)


def explained(
    values: Floats, phase: Labels, position: Position, doubt: Doubt | None = None
) -> Explained:
    """Least squares of the numbers of cells on load, temperature and phase.

    Every load and every temperature has an effect of its own (``additive``); ``surface`` adds a
    smooth interaction, the products l t, l^2 t and l t^2 of their ranks. Phases are effects of
    their own on top. The labels are shapes on the grid, and neighbours are alike whatever they are
    called: so they are compared with the same map moved and mirrored (`displaced`), which has
    shapes as large.

    The interval is that of the delta method for log(1 - beyond), for as many seeds as there are,
    with the labels as they are.

    Args:
        values: of cells [load, temperature], along both axes in their order; NaN: takes no part.
            With a first axis of folds, every fold has labels of its own (`crossfit`).
        phase: of cells, of the same shape, 0 where there is none.
        position: what load and temperature may do by themselves.
        doubt: chance of seeds in the values; without it there is no interval.

    Returns:
        Nothing but NaN where cells are too few, or where fewer than two phases are among them.
    """
    values, phase = (of.reshape(-1, *of.shape[-2:]) for of in (values, phase))
    told = list(fits(values, phase, position))
    if all(fit.phases < 2 for fit in told):
        return NOTHING
    total, *rest = sum_of(fit.squares for fit in told)
    alone, own, both = (float(1 - of / total) for of in rest)
    beyond = beyond_position(told)
    if not np.isfinite(beyond):
        return Explained(alone, own, both, beyond, *[np.nan] * 3)
    others = elsewhere(values, phase, position)
    chance = (1 + np.sum(others >= beyond - 1e-12)) / (1 + others.size)
    predicted = without(sum_of(fit.press for fit in told))
    seeds = _of_seeds(told, doubt) if doubt else (np.nan,) * 3
    return Explained(alone, own, both, beyond, predicted, float(chance), 1.0 + others.size, *seeds)


def share_of_seeds(values: Floats, errors: Floats) -> float:
    """Share of the variance between cells that the chance of seeds makes: nothing explains it.

    Mean squared standard error of cells over the variance between them, both averaged over folds;
    not a number with fewer than two cells.

    Args:
        values: of cells, [load, temperature] or [fold, load, temperature].
        errors: their squared standard errors, [load, temperature].
    """
    folds = values.reshape(-1, *errors.shape)
    known = [np.isfinite(of) & np.isfinite(errors) for of in folds]
    kept = [(of[there], errors[there]) for of, there in zip(folds, known, strict=True)]
    shares = [(np.var(of, ddof=1), by.mean()) for of, by in kept if of.size > 1]
    between, within = np.sum(shares, axis=0) if shares else (0.0, 0.0)
    return float(within / between) if between else np.nan


def _of_seeds(told: Sequence[Fit], doubt: Doubt) -> tuple[float, float, float]:
    """Ends of the interval of `beyond`, and what it is without the chance of seeds."""
    if not np.nan_to_num(doubt.errors).any():
        return np.nan, np.nan, np.nan
    left = sum_of(fit.left for fit in told)
    rest, spread = left[1] / left[0], NORMAL * np.sqrt(_variance(told, left, doubt))
    true = left - sum_of(fit.noise(filled(doubt.of_a_fold)) for fit in told)
    known = true[1] > 0 and true[0] >= _LEFT * left[0]
    ends = (float(1 - rest * np.exp(by)) for by in (spread, -spread))
    return *ends, without(true) if known else np.nan


def _variance(told: Sequence[Fit], left: Floats, doubt: Doubt) -> float:
    """Of log(1 - beyond), to first order in the numbers of cells.

    Their gradient g [fold, load, temperature] meets what folds share, the mean of the cell, in its
    sum over folds, and what they do not in its deviations from their mean: sum_cells of
    (sum g)^2 error + sum (g - mean g)^2 spread, which is sum g^2 spread where folds are
    independent.
    """
    slopes = [2 * fit.rests / fit.freedom[:, None] / left[:, None] for fit in told]
    apart = [fit.on_grid(of[1] - of[0]) for fit, of in zip(told, slopes, strict=True)]
    gradient = np.array(apart)
    found = np.square(gradient.sum(axis=0)) * filled(doubt.errors)
    if doubt.spread is not None:
        found += np.square(gradient - gradient.mean(axis=0)).sum(axis=0) * filled(doubt.spread)
    return float(found.sum())


def filled(errors: Floats) -> Floats:
    """Squared errors, those that are not known as large as the known ones are on average."""
    known = np.isfinite(errors)
    return np.where(known, errors, errors[known].mean() if known.any() else 0.0)

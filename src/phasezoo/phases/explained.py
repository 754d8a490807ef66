"""How much of the variance between cells the phase explains beyond load and temperature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from phasezoo.phases.displaced import elsewhere
from phasezoo.phases.doubt import Doubt, of_seeds
from phasezoo.phases.fits import beyond_position, fits, sum_of, without
from phasezoo.phases.projections import Floats, Labels, Position
from phasezoo.phases.relabelled import Relabelled


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

    The interval is that of log(1 - beyond), for as many seeds as there are: its variance is that
    of the delta method in the numbers, and of the jackknife over seeds in the label of each cell.

    Args:
        values: of cells [load, temperature], along both axes in their order; NaN: takes no part.
            With a first axis of folds, every fold has labels of its own (`crossfit`).
        phase: of cells, of the same shape, 0 where there is none.
        position: what load and temperature may do by themselves.
        doubt: chance of seeds in the values; without it there is no interval.

    Returns:
        Nothing but NaN where cells are too few, or where fewer than two phases are among them.
    """
    grid = values.shape[-2:]
    values, phase = values.reshape(-1, *grid), phase.reshape(-1, *grid)
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
    if doubt is None:
        return Explained(alone, own, both, beyond, predicted, float(chance), 1.0 + others.size)
    seeds = of_seeds(told, doubt, Relabelled(values, position), phase)
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

"""How much of the variance between cells the phase explains beyond load and temperature."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.integer]
Position = Literal["additive", "surface"]
POSITIONS: tuple[Position, ...] = get_args(Position)
NORMAL = 1.959964  # 97.5 % point of the normal distribution
_LEFT = 0.1  # least share of what position leaves that may be more than chance of seeds
_ALONE = 1e-8  # leverage this close to 1: a cell that nothing else tells anything of


@dataclass(frozen=True)
class Explained:
    """Shares of the variance between cells; not a number where they cannot be told.

    Attributes:
        position: R2 of load and temperature.
        phase: R2 of the phase alone.
        both: R2 of load, temperature and phase.
        beyond: what the phase explains of the variance that load and temperature leave,
            1 - (RSS_both / df_both) / (RSS_position / df_position): 0 on average for labels
            without meaning, 1 if phases explain all.
        predicted: the same for cells that were left out, 1 - PRESS_both / PRESS_position; negative
            if knowing the phase makes predictions worse.
        chance: share of displaced maps of the same phases that explain as much.
        low: lower end of the 95 % interval of `beyond` over the chance of seeds.
        high: its upper end.
        true: `beyond` without that chance, which no label can explain: both variances less what
            seeds add to them; not a number where they leave less than a tenth.
    """

    position: float
    phase: float
    both: float
    beyond: float
    predicted: float
    chance: float
    low: float = np.nan
    high: float = np.nan
    true: float = np.nan


NOTHING = Explained(*[np.nan] * 6)


def explained(
    values: Floats, phase: Labels, position: Position, errors: Floats | None = None
) -> Explained:
    """Least squares of the numbers of cells on load, temperature and phase.

    Every load and every temperature has an effect of its own (``additive``); ``surface`` adds a
    smooth interaction, the products l t, l^2 t and l t^2 of their ranks. Phases are effects of
    their own on top. The labels are shapes on the grid, and neighbours are alike whatever they are
    called: so they are compared with the same map moved around the grid and mirrored, which has
    shapes as large.

    The interval is that of the delta method for log(1 - beyond), for as many seeds as there are.

    Args:
        values: of cells [load, temperature], along both axes in their order; NaN: takes no part.
        phase: of cells [load, temperature], 0 where there is none.
        position: what load and temperature may do by themselves.
        errors: squared standard errors of the values over the chance of seeds; without them there
            is no interval.

    Returns:
        Nothing but NaN where cells are too few, or where fewer than two phases are among them.
    """
    there = np.isfinite(values) & (phase > 0)
    y, labels = values[there], phase[there]
    if len(np.unique(labels)) < 2 or not np.var(y):
        return NOTHING
    base, groups = _position(there, position), _effects(labels)
    of_base, of_phase, full = (_hat(of) for of in (base, groups, np.hstack([base, groups])))
    total = np.square(y - y.mean()).sum()
    alone, own, both = (
        1 - np.square(y - hat @ y).sum() / total for hat in (of_base, of_phase, full)
    )
    beyond = _partial(y, of_base, full)
    if not np.isfinite(beyond):
        return Explained(alone, own, both, beyond, np.nan, np.nan)
    others = _elsewhere(values, phase, there, position)
    chance = (1 + np.sum(others >= beyond - 1e-12)) / (1 + others.size)
    doubt = _doubt(y, of_base, full, errors[there]) if errors is not None else (np.nan,) * 3
    predicted = _left_out(y, of_base, full)
    return Explained(alone, own, both, beyond, predicted, float(chance), *doubt)


def share_of_seeds(values: Floats, errors: Floats) -> float:
    """Share of the variance between cells that the chance of seeds makes: nothing explains it.

    Mean squared standard error of cells over the variance between them; not a number with fewer
    than two cells.

    Args:
        values: of cells.
        errors: their squared standard errors.
    """
    there = np.isfinite(values) & np.isfinite(errors)
    if there.sum() < 2 or not (between := np.var(values[there], ddof=1)):
        return np.nan
    return float(errors[there].mean() / between)


def _partial(y: Floats, base: Floats, full: Floats) -> float:
    """Adjusted partial R2 of what `full` has beyond `base`, both as projections [n, n]."""
    freedom = [round(len(y) - np.trace(hat)) for hat in (base, full)]
    if freedom[1] < 1 or freedom[0] == freedom[1]:
        return np.nan
    left = [
        np.square(y - hat @ y).sum() / df for hat, df in zip((base, full), freedom, strict=True)
    ]
    return float(1 - left[1] / left[0]) if left[0] > 0 else np.nan


def _left_out(y: Floats, base: Floats, full: Floats) -> float:
    """1 - PRESS_full / PRESS_base over the cells that others tell something of in both."""
    told = 1 - np.diag(full) > _ALONE
    if not told.any():
        return np.nan
    press = [
        np.square((y - hat @ y)[told] / (1 - np.diag(hat)[told])).sum() for hat in (base, full)
    ]
    return float(1 - press[1] / press[0]) if press[0] > 0 else np.nan


def _elsewhere(
    values: Floats, phase: Labels, there: NDArray[np.bool_], position: Position
) -> Floats:
    """`beyond` of the displaced maps; in each, cells without a label take no part."""
    bases: dict[bytes, tuple[Floats, Floats]] = {}  # by the cells that take part
    found = []
    for labels in _displaced(phase):
        taking = there & (labels > 0)
        key = taking.tobytes()
        if key not in bases:
            hat = _hat(_position(taking, position))
            bases[key] = hat, values[taking] - hat @ values[taking]
        hat, rest = bases[key]
        groups = _effects(labels[taking])
        own = _basis(groups - hat @ groups, len(groups) ** 0.5)
        freedom = len(rest) - np.trace(hat)
        if own.shape[1] and freedom - own.shape[1] > _ALONE and rest.any():
            left = 1 - np.square(own.T @ rest).sum() / (rest @ rest)
            found.append(1 - left * freedom / (freedom - own.shape[1]))
    return np.array(found)


def _doubt(y: Floats, base: Floats, full: Floats, errors: Floats) -> tuple[float, float, float]:
    """Ends of the interval of the adjusted partial R2, and what it is without the chance of seeds.

    A cell whose error is not known counts as one without.
    """
    errors = np.where(np.isfinite(errors), errors, 0.0)
    if not errors.any():
        return np.nan, np.nan, np.nan
    rests = [y - hat @ y for hat in (base, full)]
    freedom = [len(y) - np.trace(hat) for hat in (base, full)]
    squares = [rest @ rest for rest in rests]
    logs = 2 * (rests[1] / squares[1] - rests[0] / squares[0])  # gradient of log(1 - beyond)
    spread = NORMAL * np.sqrt(np.square(logs) @ errors)
    left = [s / df for s, df in zip(squares, freedom, strict=True)]
    noise = [(1 - np.diag(h)) @ errors / df for h, df in zip((base, full), freedom, strict=True)]
    true = [of - by for of, by in zip(left, noise, strict=True)]
    share = 1 - true[1] / true[0] if true[0] > _LEFT * left[0] else np.nan
    rest = left[1] / left[0]
    return float(1 - rest * np.exp(spread)), float(1 - rest * np.exp(-spread)), float(share)


def _position(there: NDArray[np.bool_], position: Position) -> Floats:
    """Columns of load and temperature [cells, columns]."""
    load, temperature = np.nonzero(there)
    columns = [np.ones((len(load), 1)), _effects(load), _effects(temperature)]
    if position == "surface":
        x, y = _ranks(load), _ranks(temperature)
        columns.append(np.stack([x * y, x**2 * y, x * y**2], axis=1))
    return np.hstack(columns)


def _ranks(places: Labels) -> Floats:
    """From -1 to 1."""
    _, ranks = np.unique(places, return_inverse=True)
    return np.asarray(2 * ranks / max(ranks.max(initial=0), 1) - 1)


def _effects(of: Labels) -> Floats:
    """One column for each value that occurs."""
    return np.asarray(of[:, None] == np.unique(of), dtype=np.float64)


def _hat(columns: Floats) -> Floats:
    """The projection [n, n] onto the space of some columns."""
    kept = _basis(columns, float(np.linalg.norm(columns)))
    return np.asarray(kept @ kept.T)


def _basis(columns: Floats, scale: float) -> Floats:
    """Orthonormal columns that span the space of some; what is rounding of `scale` is none."""
    left, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    return np.asarray(left[:, sizes > 1e-10 * scale])


def _displaced(phase: Labels) -> Iterator[Labels]:
    """The map moved around the grid and mirrored, in every way but as it is."""
    seen = {phase.tobytes()}
    for up, along in product((1, -1), repeat=2):
        mirrored = phase[::up, ::along]
        for shift in product(*(range(n) for n in phase.shape)):
            moved = np.roll(mirrored, shift, axis=(0, 1))
            if moved.tobytes() not in seen:
                seen.add(moved.tobytes())
                yield moved

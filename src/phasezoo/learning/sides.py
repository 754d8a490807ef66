"""On which side of a split a model lies: its own names decide, so that no other can move it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Literal, get_args

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from phasezoo.rng import seed_of
from phasezoo.store.variables import OF_MODEL
from phasezoo.vocabulary import HYPERPARAMETERS, LOAD, TEMPERATURE, Number, PhasezooError

Names = NDArray[np.str_]

By = Literal["model", "cell", "seed"]
Side = Literal["train", "validation", "test"]
SIDES: tuple[Side, ...] = get_args(Side)


class LearningError(PhasezooError):
    """Zoos cannot be learned from as asked."""


def labels(axis: xr.DataArray) -> dict[Number, str]:
    """How the values of load or temperature stand in names: ``width=16``, as in those of chance."""
    meaning = HYPERPARAMETERS.get(str(axis.attrs.get("hyperparameter")))
    values = axis.values.tolist()
    if meaning is None:
        return {value: f"{axis.name}={value:g}" for value in values}
    return {value: f"{meaning.name}={meaning.label(value)}" for value in values}


def unit(by: By, zoo: str, load: str, temperature: str, seed: int) -> str:
    """The name of what stays together: a model, its whole cell, or its seed in all cells.

    The epoch is in none of them, so the checkpoints of a model are always on one side.
    """
    match by:
        case "model":
            return f"{zoo}/{load}/{temperature}/seed={seed}"
        case "cell":
            return f"{zoo}/{load}/{temperature}"
        case "seed":
            return f"{zoo}/seed={seed}"


def units(by: By, zoo: str, grid: xr.Dataset) -> Names:
    """The units of all checkpoints of a grid, over (load, temperature, seed, epoch)."""
    loads, heats = (labels(grid[axis]) for axis in (LOAD, TEMPERATURE))
    axes = (grid[axis].values.tolist() for axis in OF_MODEL)
    return np.array([unit(by, zoo, loads[w], heats[t], seed) for w, t, seed, _ in product(*axes)])


def place(name: str, seed: int = 0) -> float:
    """A number in [0, 1), even over all names, that a unit has whatever else there is."""
    return seed_of("split", seed, name) / 2**63


def side(at: float, shares: Sequence[float]) -> Side:
    """The side of a place: train from 0 on, then validation, then test."""
    train, validation, _ = shares
    return "train" if at < train else "validation" if at < train + validation else "test"


def check(split: str | None, by: str, shares: Sequence[float]) -> None:
    """Refuse what is no split.

    Raises:
        LearningError: a word is unknown, or the shares are not three that add up to 1.
    """
    if split is not None and split not in SIDES:
        raise LearningError(f"split: got {split!r}, allowed are {', '.join(SIDES)} or None")
    if by not in get_args(By):
        raise LearningError(f"by: got {by!r}, allowed are {', '.join(get_args(By))}")
    if len(shares) != 3 or min(shares) < 0 or abs(sum(shares) - 1) > 1e-9:
        given = ", ".join(f"{share:g}" for share in shares)
        raise LearningError(f"shares: got {given}; allowed are three from 0 on that add up to 1")

"""Which checkpoints of a zoo are learned from, and which are left out, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from phasezoo.learning.sides import By, LearningError, Names, Side, place, side, units
from phasezoo.learning.targets import Groups, target
from phasezoo.store.variables import OF_MODEL
from phasezoo.store.zoo import Zoo
from phasezoo.vocabulary import EPOCH, Status

Epochs = Sequence[int] | Literal["last", "all"]
GROUPS = ("metrics", "phases", "merging", "transfer")
WHY = {Status.DIVERGED: "diverged", Status.NEVER_TRAINED: "never trained"}
LACKING = "without target"


@dataclass(frozen=True)
class Division:
    """How models are put on sides: what stays together, and the shares of the sides."""

    split: Side | None
    by: By
    shares: tuple[float, float, float]
    seed: int


def items(
    zoo: Zoo, name: str, wanted: str, epochs: Epochs, division: Division
) -> tuple[xr.Dataset, Counter[str]]:
    """The checkpoints of one side that have finite weights and a target.

    Args:
        zoo: opened; only what is measured is read.
        name: of the zoo.
        wanted: the target.
        epochs: some of those at which it was measured; the last, or all.
        division: into sides.

    Returns:
        zoo, load, temperature, seed, epoch, `model` (its name) and `target` along `item`; and how
        many checkpoints of the side are not among them, by the reason.

    Raises:
        LearningError: there is no such target or epoch.
    """
    groups = _groups(zoo)
    values = _at(zoo, wanted, target(wanted, groups), epochs)
    status = groups["metrics"]["status"].reindex({EPOCH: values[EPOCH]}, fill_value=Status.TRAINED)
    grid = xr.Dataset({"target": values, "status": status}).transpose(*OF_MODEL)
    flat = grid.stack(item=OF_MODEL, create_index=False)
    flat["zoo"] = ("item", np.full(flat.sizes["item"], name, dtype=object))
    flat["model"] = ("item", units("model", name, grid).astype(object))
    flat = flat.isel(item=_here(units(division.by, name, grid), division))
    why = np.array(list(_reasons(flat)), dtype=object)
    kept = flat.isel(item=why == "").reset_coords()
    return kept[["zoo", *OF_MODEL, "model", "target"]], Counter(filter(None, why))


def _groups(zoo: Zoo) -> Groups:
    """The groups of results, with the axes that a selection took away put back."""
    there = {name: zoo[name] for name in GROUPS if name in zoo.nodes.children}
    return {
        name: data.expand_dims([a for a in OF_MODEL if a in data.coords and a not in data.dims])
        for name, data in there.items()
    }


def _at(zoo: Zoo, wanted: str, values: xr.DataArray, epochs: Epochs) -> xr.DataArray:
    """A target at the epochs asked for."""
    measured = values.notnull().any([axis for axis in OF_MODEL if axis != EPOCH])
    known = values[EPOCH].values[measured.values].tolist()
    named = {"last": known[-1:], "all": known}
    asked = named.get(epochs) if isinstance(epochs, str) else list(epochs)
    if not asked or not set(asked) <= set(known):
        raise LearningError(
            f"{zoo.path}: epochs: got {epochs!r}; {wanted} is known at {known}, "
            f"allowed are some of these, 'last' or 'all'"
        )
    return values.sel({EPOCH: asked})


def _here(names: Names, division: Division) -> NDArray[np.bool_]:
    """Whether units are on the side asked for."""
    if division.split is None:
        return np.full(names.size, True)
    sides = [side(place(name, division.seed), division.shares) for name in names]
    return np.array([found == division.split for found in sides], dtype=bool)


def _reasons(flat: xr.Dataset) -> Iterator[str]:
    """Why a checkpoint is left out; nothing where it is not."""
    for status, value in zip(flat["status"].values, flat["target"].values, strict=True):
        yield WHY.get(Status(status), "" if np.isfinite(value) else LACKING)

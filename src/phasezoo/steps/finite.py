"""The models of cells that take part in a measurement: those that did not diverge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from phasezoo.models.flat import Weights
from phasezoo.steps.cells import Axes, Cell, Row, Value, columns
from phasezoo.store import schema


def finite_models(cells: Sequence[Cell]) -> list[tuple[Weights, tuple[str, ...]]]:
    """Weights and names of the finite models, cell after cell."""
    return [
        (model, cell.names(seed))
        for cell in cells
        for seed, model in zip(cell.seeds, cell.models, strict=True)
        if model.finite
    ]


def of_finite(
    cells: Sequence[Cell], found: Sequence[Mapping[str, Value]], axes: Axes | None = None
) -> list[Row]:
    """One row per cell from one mapping per finite model; not a number for the others.

    Args:
        cells: of one load.
        found: in the order of `finite_models`.
        axes: that the family has of its own.
    """
    family = cells[0].job.options.family
    nothing = nothing_of(family, axes or {})
    left = iter(found)
    rows = [[next(left) if model.finite else nothing for model in cell.models] for cell in cells]
    return [columns(family, of_cell) for of_cell in rows]


def nothing_of(family: str, axes: Axes) -> dict[str, Value]:
    """What stands for each variable of a family where nothing is measured: not a number."""
    found: dict[str, Value] = {}
    for name, variable in schema.family_variables(family).items():
        own = [len(axes[axis]) for axis in variable.dims if axis in axes]
        found[name] = np.full(own, np.nan) if own else float("nan")
    return found

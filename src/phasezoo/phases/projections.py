"""Load, temperature and phase of cells as columns, and the projections onto what they span."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.integer]
Mask = NDArray[np.bool_]
Position = Literal["additive", "surface"]
POSITIONS: tuple[Position, ...] = get_args(Position)


def position_columns(there: Mask, position: Position) -> Floats:
    """Columns of load and temperature [cells, columns] of the cells that are there.

    One for each load and each temperature; ``surface`` adds the products l t, l^2 t and l t^2 of
    their ranks, from -1 to 1.
    """
    load, temperature = np.nonzero(there)
    columns = [np.ones((len(load), 1)), effects(load), effects(temperature)]
    if position == "surface":
        x, y = _ranks(load), _ranks(temperature)
        columns.append(np.stack([x * y, x**2 * y, x * y**2], axis=1))
    return np.hstack(columns)


def _ranks(places: Labels) -> Floats:
    _, ranks = np.unique(places, return_inverse=True)
    return np.asarray(2 * ranks / max(ranks.max(initial=0), 1) - 1)


def effects(of: Labels) -> Floats:
    """One column for each value that occurs, [cells, values]."""
    return np.asarray(of[:, None] == np.unique(of), dtype=np.float64)


def hat(columns: Floats) -> Floats:
    """The projection [n, n] onto the space of some columns."""
    kept = basis(columns, float(np.linalg.norm(columns)))
    return np.asarray(kept @ kept.T)


def basis(columns: Floats, scale: float) -> Floats:
    """Orthonormal columns that span the space of some; what is rounding of `scale` is none."""
    left, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    return np.asarray(left[:, sizes > 1e-10 * scale])

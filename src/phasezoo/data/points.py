"""The labelled points of an equation."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from phasezoo import rng
from phasezoo.data.equation import EQUATIONS, Equation
from phasezoo.data.physics import Ask
from phasezoo.data.sides import sides
from phasezoo.spec.equation import EquationPoints

Floats = NDArray[np.float64]
KIND = "points"


def points(spec: EquationPoints) -> xr.Dataset:
    """The points of a spec, which do not depend on its coefficient.

    Returns:
        Dataset over `sample`: x, t, partner_x, partner_t [sample] float64 (the other end, for
        periodic conditions, else the point itself), ask [sample] int8 (`phasezoo.data.physics`),
        split [sample] int8.
    """
    kind = EQUATIONS[spec.source]
    equation = kind(spec.coefficient or 1.0)
    # periodic in x: the last point would be the first once more
    x = np.linspace(0, equation.length, spec.grid[0], endpoint=not kind.periodic)
    t = np.linspace(0, 1, spec.grid[1])
    inside = _inside(x, t, kind.periodic)
    chance = np.random.default_rng(rng.seed_of(spec.source, "interior", spec.split_seed))
    chosen = inside[np.sort(chance.permutation(len(inside))[: spec.interior])]
    some = t[np.sort(chance.permutation(len(t))[: spec.boundary])]
    parts = [_labelled(_asked(equation, at, x, when)) for at, when in ((chosen, some), (inside, t))]
    found = xr.concat(parts, dim="sample").assign(split=sides(*(p.sizes["sample"] for p in parts)))
    return found.assign_attrs(
        title=f"Points of the {spec.source} equation",
        kind=KIND,
        equation=spec.source,
        coefficient=spec.coefficient or 1.0,  # where none is given, the load sets it
        references=kind.references,
        license="CC0 1.0",
        spec=spec.model_dump_json(),
    )


def _inside(x: Floats, t: Floats, periodic: bool) -> Floats:
    """Points [N, 2] of the grid with t > 0 and away from the ends."""
    within = x[1:] if periodic else x[1:-1]
    columns = np.meshgrid(within, t[1:], indexing="ij")
    return np.stack([column.ravel() for column in columns], axis=1)


def _asked(
    equation: Equation, inside: Floats, x: Floats, t: Floats
) -> list[tuple[Ask, Floats, Floats]]:
    """What is asked where: a kind, its points [N, 2] and their partners [N, 2]."""
    start = np.stack([x, np.zeros_like(x)], axis=1)
    left, right = (np.stack([np.full_like(t, end), t], axis=1) for end in (0.0, equation.length))
    rows = [(Ask.EQUATION, inside, inside), (Ask.VALUE, start, start)]
    if equation.periodic:
        rows += [(Ask.PERIODIC, left, right)]
    else:
        rows += [(Ask.VALUE, left, left), (Ask.VALUE, right, right)]
    if equation.at_rest:
        rows += [(Ask.VELOCITY, start, start)]
    return rows


def _labelled(rows: list[tuple[Ask, Floats, Floats]]) -> xr.Dataset:
    at = np.concatenate([points for _, points, _ in rows])
    other = np.concatenate([partners for _, _, partners in rows])
    asks = np.repeat([int(ask) for ask, _, _ in rows], [len(points) for _, points, _ in rows])
    flags = {
        "flag_values": [int(ask) for ask in Ask],
        "flag_meanings": " ".join(ask.name.lower() for ask in Ask),
    }
    columns = {"x": at[:, 0], "t": at[:, 1], "partner_x": other[:, 0], "partner_t": other[:, 1]}
    return xr.Dataset(
        {
            **{name: ("sample", values) for name, values in columns.items()},
            "ask": ("sample", asks.astype(np.int8), flags),
        }
    )

"""Permutations as labelled whole numbers, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray

from phasezoo.merging.permutation import Permutations, PermutationSpec, identity
from phasezoo.models.flat import Layout

MISSING = -1  # where an architecture has no such unit, or nothing was found
_UNIT = re.compile(r"(.*)\[(\d+(?:,\d+)*)\]")


def units_of(spec: PermutationSpec, layout: Layout) -> list[str]:
    """A label for every unit: the name of its permutation, and its place: ``hidden.0[3]``.

    Unit i of head h, of a permutation within heads, is ``attention.value[h,i]``.
    """
    shapes = {name: spec.shape(name, layout) for name in spec.names}
    return [
        f"{name}[{','.join(map(str, place))}]"
        for name, shape in shapes.items()
        for place in np.ndindex(*shape)
    ]


def all_units(each: Sequence[Sequence[str]]) -> list[str]:
    """The units of several architectures together: permutation by permutation, in their places."""
    parts = {unit: _parts(unit) for units in each for unit in units}
    rank = {name: i for i, name in enumerate(dict.fromkeys(name for name, _ in parts.values()))}
    return sorted(parts, key=lambda unit: (rank[parts[unit][0]], parts[unit][1]))


def labelled(
    spec: PermutationSpec, layout: Layout, by: Permutations, units: Sequence[str]
) -> NDArray[np.float64]:
    """The places [units] that units are taken from; `MISSING` for a unit that is not there.

    A permutation that is not in `by` leaves all where it is.
    """
    whole = identity(spec, layout) | by
    found = dict(zip(units_of(spec, layout), _numbers(spec, whole), strict=True))
    return np.array([found.get(unit, MISSING) for unit in units], dtype=np.float64)


def _numbers(spec: PermutationSpec, by: Permutations) -> list[int]:
    return [number for name in spec.names for number in by[name].flatten().tolist()]


def permutations_from(stored: xr.DataArray) -> Permutations:
    """The permutations that a store holds for one pair and one way of aligning.

    With them, `permute` brings the second model of the pair into the frame of the first.

    Args:
        stored: `permutation` along nothing but its axis `unit`.

    Raises:
        ValueError: it has other axes, or a label is not that of a unit.
    """
    if stored.dims != ("unit",):
        raise ValueError(f"permutation: got axes {stored.dims}, allowed is ('unit',)")
    there = stored[stored.values != MISSING]
    found: dict[str, dict[tuple[int, ...], int]] = {}
    for unit, number in zip(there["unit"].values.tolist(), there.values.tolist(), strict=True):
        name, place = _parts(unit)
        found.setdefault(name, {})[place] = number
    return {name: _tensor(of) for name, of in found.items()}


def _parts(unit: str) -> tuple[str, tuple[int, ...]]:
    if not (match := _UNIT.fullmatch(unit)):
        raise ValueError(f"unit: got {unit!r}, allowed are a name and a place, as 'hidden.0[3]'")
    return match[1], tuple(map(int, match[2].split(",")))


def _tensor(of: Mapping[tuple[int, ...], int]) -> torch.Tensor:
    shape = tuple(size + 1 for size in max(of))
    values = np.empty(shape, dtype=np.int64)
    for place, number in of.items():
        values[place] = number
    return torch.from_numpy(values)

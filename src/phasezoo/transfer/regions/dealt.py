"""Labels as chance would deal them, to the units that were free to have others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import factorial, prod

import numpy as np

from phasezoo.transfer.regions.estimates import Ints


@dataclass(frozen=True)
class Dealt:
    """Labels that others could have been.

    Attributes:
        labels: [R, M].
        every: whether these are all ways there are, the true one among them, and none twice.
    """

    labels: Ints
    every: bool


def dealt(
    labels: Ints, strata: Sequence[str], permutations: int, chance: np.random.Generator
) -> Dealt:
    """Labels of models, permuted over whatever was given them as one.

    Where all models of a stratum have one label, and some strata have the same, strata are what is
    labelled: their models are no independent witnesses, and are dealt one label together. Of at
    most `permutations` divisions of the strata every one is tried. Where each stratum has a label
    of its own, or several, labels are dealt to single models.

    Args:
        labels: of each model, [M], from 0 on.
        strata: of each model.
        permutations: that are drawn, or tried at most.
        chance: draws them.
    """
    first, units = np.unique(np.asarray(strata), return_index=True, return_inverse=True)[1:]
    of_unit = labels[first]
    constant = bool((of_unit[units] == labels).all())
    if not constant or len(np.unique(of_unit)) == len(of_unit):
        return Dealt(np.array([chance.permutation(labels) for _ in range(permutations)]), False)
    sizes = sorted(Counter(of_unit.tolist()).values())
    if divisions(sizes) <= permutations:
        every = np.array(list(divided(tuple(range(len(of_unit))), tuple(sizes))))
        return Dealt(every[:, units], True)
    drawn = np.array([chance.permutation(of_unit) for _ in range(permutations)])
    return Dealt(drawn[:, units], False)


def divisions(sizes: Sequence[int]) -> int:
    """How many divisions into sets of these sizes there are: n! / (prod n_k! prod m_s!).

    Sets have no names, so that m_s of one size s can change places.

    Args:
        sizes: n_k, of n together.
    """
    alike = Counter(sizes).values()
    return factorial(sum(sizes)) // prod(map(factorial, [*sizes, *alike]))


def divided(units: tuple[int, ...], sizes: tuple[int, ...]) -> Iterator[list[int]]:
    """Every division of units 0, 1, ... into sets of these sizes, each once: the set of each unit.

    Args:
        units: their numbers.
        sizes: of the sets, of all units together.
    """
    for sets in _sets(units, sizes):
        of = {unit: number for number, members in enumerate(sets) for unit in members}
        yield [of[unit] for unit in units]


def _sets(free: tuple[int, ...], sizes: tuple[int, ...]) -> Iterator[list[tuple[int, ...]]]:
    """The first unit that is free is in one set of each size: none comes twice."""
    if not free:
        yield []
        return
    first, *others = free
    for size in sorted(set(sizes)):
        left = list(sizes)
        left.remove(size)
        for more in combinations(others, size - 1):
            rest = tuple(unit for unit in others if unit not in more)
            for further in _sets(rest, tuple(left)):
                yield [(first, *more), *further]

"""Which tuned models have something in common with a target: its data set, its family, or all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

Level = Literal["dataset", "family", "general", "family but target", "general but target"]
LEVELS: tuple[Level, ...] = get_args(Level)


def inside(
    level: Level, target: str, datasets: Sequence[str], families: Mapping[str, str]
) -> list[int]:
    """Positions of the models of a group around a target, ascending.

    - ``dataset``: tuned to the target.
    - ``family``: tuned to a data set of its family, the target among them, as published.
    - ``general``: tuned to any data set.
    - ``family but target``, ``general but target``: the same without those tuned to the target,
      which have learned what the others are to be judged by.

    Args:
        level: what the models have in common.
        target: a data set.
        datasets: of each model.
        families: of each data set.
    """
    found = [
        place
        for place, dataset in enumerate(datasets)
        if level.startswith("general") or _same(level, dataset, target, families)
    ]
    if level.endswith("but target"):
        found = [place for place in found if datasets[place] != target]
    return found


def outside(
    level: Level, target: str, datasets: Sequence[str], families: Mapping[str, str]
) -> list[int]:
    """Positions of the models tuned elsewhere: to other data sets, or data sets of other families.

    Nothing is outside of all; there, see `groups.groups`. A model tuned to the target is in none of
    the levels without it, and not outside of them either.
    """
    if level.startswith("general"):
        return []
    return [
        place
        for place, dataset in enumerate(datasets)
        if not _same(level, dataset, target, families)
    ]


def _same(level: Level, dataset: str, target: str, families: Mapping[str, str]) -> bool:
    if level == "dataset":
        return dataset == target
    return families[dataset] == families[target]

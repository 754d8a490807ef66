"""A spec that grows, and the jobs that follow from every new measurement."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy

END = Counter(publish=1, report=1)
METRICS = END + Counter(collect_metrics=1, phases=1)


def changed(params: dict, **keys: object) -> dict:
    """The spec with keys of the zoo set; dots are written as two underscores."""
    grown = deepcopy(params)
    for path, value in keys.items():
        *folders, last = path.split("__")
        here = grown["zoos"]["tiny"]
        for folder in folders:
            here = here[folder]
        here[last] = value
    return grown

"""Thresholds from the data: where the cells that a question is put to fall into two groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasezoo.phases.scheme import Cells, Decision, Scale, Scheme, off_scale, on_scale

Floats = NDArray[np.float64]
FEWEST = 6  # cells that two groups are looked for in
APART = {  # distance of the means of two groups, on the scale, from which on they are two
    Scale.SIZE: float(np.log(2)),
    Scale.BARRIER: float(np.log(2)),
    Scale.LIKENESS: 0.02,
}


@dataclass(frozen=True)
class Chosen:
    """A threshold, and how it was come by."""

    value: float
    how: str


def two_groups(values: Floats) -> tuple[float, float] | None:
    """Means of the two groups that numbers fall into, the lower first.

    The cut is that which leaves the least variance within the groups, found exactly over all cuts
    of the sorted numbers (Otsu 1979; k-means with two means in one dimension). None where there are
    fewer than `FEWEST` numbers, or all are the same.
    """
    found = np.sort(values[np.isfinite(values)])
    if found.size < FEWEST or found[0] == found[-1]:
        return None
    count = np.arange(1, found.size)
    total = np.cumsum(found)
    lower = total[:-1] / count
    upper = (total[-1] - total[:-1]) / (found.size - count)
    between = count * (found.size - count) * (upper - lower) ** 2
    cut = int(np.where(found[1:] > found[:-1], between, -1.0).argmax())
    return float(lower[cut]), float(upper[cut])


def calibrate(scheme: Scheme, cells: Cells, given: Mapping[str, float | str]) -> dict[str, Chosen]:
    """The threshold of every decision: the given number, or one from the cells.

    A threshold to calibrate lies half way, on the metric's scale, between the means of the two
    groups into which the cells fall to which the question is put (`two_groups`): training loss of
    all cells, connectivity of those with low loss, CKA of those that are connected as well. The
    means must be apart by `APART`, and the higher one above the fallback, if there is one; else the
    fallback decides, so that no phase is made of noise: losses of 0.001 and 0.004 are both low.

    Args:
        scheme: the questions.
        cells: of every metric that decides, [load, temperature].
        given: a number or "calibrated" for each threshold.
    """
    chosen: dict[str, Chosen] = {}
    for decision in scheme.decisions:
        wanted = given[decision.metric]
        if isinstance(wanted, float | int):
            chosen[decision.metric] = Chosen(float(wanted), "given")
        else:
            values = {name: found.value for name, found in chosen.items()}
            asked = cells[decision.metric][decision.asked(cells, values)]
            chosen[decision.metric] = _calibrated(decision, asked)
    return chosen


def _tell(decision: Decision, higher: float) -> bool:
    """Whether the higher group is high at all."""
    return decision.fallback is None or off_scale(higher, decision.scale) > decision.fallback


def _calibrated(decision: Decision, asked: Floats) -> Chosen:
    """A threshold from the cells to which a question is put."""
    asked = asked[np.isfinite(asked)]
    groups = two_groups(on_scale(asked, decision.scale))
    if groups and groups[1] - groups[0] >= APART[decision.scale] and _tell(decision, groups[1]):
        ends = [off_scale(mean, decision.scale) for mean in groups]
        how = f"calibrated: between groups about {ends[0]:.3g} and {ends[1]:.3g}"
        return Chosen(off_scale(sum(groups) / 2, decision.scale), how)
    why = f"{asked.size} cells, no two groups"
    if decision.fallback is not None:
        return Chosen(decision.fallback, f"not calibrated ({why}): the default")
    least = float(asked.min()) if asked.size else 0.0
    return Chosen(least, f"not calibrated ({why}): the least of them")

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
    Scale.SIZE: float(np.log(1.5)),
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
    means must be apart by `APART`, the higher one above the fallback, if there is one, and the
    lower one at most `Decision.lowest`; else the fallback decides, so that no phase is made of
    noise, or of cells that differ on one side only: losses of 0.001 and 0.004 are both low,
    barriers of 6 and 17 points both high.

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


def _tell(decision: Decision, ends: tuple[float, float]) -> bool:
    """Whether the higher group is high at all, and the lower one not too high to be low."""
    lower, higher = ends
    high = decision.fallback is None or higher > decision.fallback
    return high and lower <= decision.lowest


def _calibrated(decision: Decision, asked: Floats) -> Chosen:
    """A threshold from the cells to which a question is put."""
    asked = asked[np.isfinite(asked)]
    groups = two_groups(on_scale(asked, decision.scale))
    why = f"{asked.size} cells, no two groups"
    if groups and groups[1] - groups[0] >= APART[decision.scale]:
        ends = off_scale(groups[0], decision.scale), off_scale(groups[1], decision.scale)
        about = f"about {ends[0]:.3g} and {ends[1]:.3g}"
        if _tell(decision, ends):
            middle = off_scale(sum(groups) / 2, decision.scale)
            return Chosen(middle, f"calibrated: between groups {about}{_both_high(decision, ends)}")
        why = f"{asked.size} cells, no two groups: all low or all high, {about}"
    if decision.fallback is not None:
        return Chosen(decision.fallback, f"not calibrated ({why}): the default")
    if not asked.size:
        return Chosen(0.0, "not calibrated: no cell is asked")
    return Chosen(float(asked.min()), f"not calibrated ({why}): the least of them")


def _both_high(decision: Decision, ends: tuple[float, float]) -> str:
    """What is to be said where low is low beside the others only."""
    if decision.fallback is None or ends[0] <= decision.fallback:
        return ""
    return f", both above the default {decision.fallback:g}"

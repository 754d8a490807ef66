"""A line search for the strong Wolfe conditions, on many lines at once.

Nocedal and Wright 2006, algorithms 3.5 and 3.6, turned inside out: `advance` takes what was found
at the step that it asked for, and says which step to try next. So lines at different points of
their searches share one evaluation, and a search can be stored between two of them.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

DECREASE, CURVATURE = 1e-4, 0.9  # c1 and c2, those of Nocedal and Wright for quasi-Newton steps
MOST = 25  # evaluations of one search
_LEAST_GROWTH, _MOST_GROWTH = 0.01, 10.0  # of a step, where the lowest point lies further on
_MARGIN = 0.1  # of an interval, which two steps in a row do not come closer to its ends than


class Point(NamedTuple):
    """A point on each of N lines: step [N], loss [N], slope along the line [N]."""

    step: Tensor
    loss: Tensor
    slope: Tensor


class Search(NamedTuple):
    """Where the searches of N lines are; flags are 0 or 1.

    Attributes:
        start: step 0.
        low: the lowest point so far; it decreases the loss enough.
        high: the other end of the interval, where there is one.
        step: the step to try next.
        trials: steps that were tried.
        bracketed: whether there is an interval that has acceptable steps.
        crowded: whether the last step came close to an end of it.
        settling: whether the search was given up, and the next step is that of `low`.
    """

    start: Point
    low: Point
    high: Point
    step: Tensor
    trials: Tensor
    bracketed: Tensor
    crowded: Tensor
    settling: Tensor

    @property
    def table(self) -> Tensor:
        """All of it, [N, COLUMNS]."""
        return torch.stack([*self.start, *self.low, *self.high, *self[3:]], dim=1)

    @classmethod
    def of(cls, table: Tensor) -> Search:
        """The inverse of `table`."""
        column = table.unbind(dim=1)
        return cls(Point(*column[:3]), Point(*column[3:6]), Point(*column[6:9]), *column[9:])


COLUMNS = 14


def begin(loss: Tensor, slope: Tensor, step: Tensor) -> Search:
    """Searches [N] from where the loss and its slope are known, with a first step to try."""
    nothing = torch.zeros_like(step)
    start = Point(nothing, loss, slope)
    return Search(start, start, Point(*[nothing] * 3), step, *[nothing] * 4)


class Verdict(NamedTuple):
    """What became of N searches: how they go on, and where they end.

    At most one of two flags [N] is set: the step that was tried is `accepted`, or the search
    `failed`, because nothing lower was found. An accepted step satisfies the strong Wolfe
    conditions, unless the search was given up and took the lowest point that it had.
    """

    search: Search
    accepted: Tensor
    failed: Tensor


def advance(search: Search, loss: Tensor, slope: Tensor, least: Tensor) -> Verdict:
    """Go on after an evaluation at `search.step`.

    A loss or slope that is not finite is a step too far.

    Args:
        search: of N lines.
        loss: at the step, [N].
        slope: along the line at the step, [N].
        least: length of an interval that is not searched any further, [N].
    """
    wide = Search.of(search.table.double())  # the arithmetic is cheap, cancellation is not
    trial = Point(wide.step, loss.double(), slope.double())
    lower = decreases(wide.start, trial) & (trial.loss < wide.low.loss)
    narrowed = _narrowed(wide, trial, lower)
    step, crowded = _next_step(wide, narrowed, trial)
    narrowed = narrowed._replace(step=step, crowded=crowded, trials=wide.trials + 1)
    settled = wide.settling > 0
    accepted = settled | (lower & flattens(wide.start, trial))
    over = ~accepted & _exhausted(narrowed, least.double(), loss.dtype)
    settling = over & ~lower & (narrowed.low.step > 0)
    step = torch.where(settling, narrowed.low.step, narrowed.step)
    found = narrowed._replace(step=step, settling=settling.double())
    failed = over & ~lower & ~settling
    return Verdict(Search.of(found.table.to(loss.dtype)), accepted | (over & lower), failed)


def decreases(start: Point, trial: Point) -> Tensor:
    """Whether steps lower the loss enough: f(t) <= f(0) + c1 t f'(0)."""
    finite = trial.loss.isfinite() & trial.slope.isfinite()
    return finite & (trial.loss <= start.loss + DECREASE * trial.step * start.slope)


def flattens(start: Point, trial: Point) -> Tensor:
    """Whether the slope is small enough after steps: |f'(t)| <= c2 |f'(0)|."""
    return trial.slope.abs() <= CURVATURE * start.slope.abs()


def _narrowed(search: Search, trial: Point, lower: Tensor) -> Search:
    """The interval after a trial, which becomes its low end where it is the lowest yet.

    What was the low end becomes the high one where the loss rises from the trial towards the high
    end; without an interval, that lies further on.
    """
    bracketed = search.bracketed > 0
    onward = torch.where(bracketed, search.high.step - search.low.step, 1.0)
    turns = lower & (trial.slope * onward >= 0)
    high = _chosen(turns, search.low, _chosen(lower, search.high, trial))
    low = _chosen(lower, trial, search.low)
    return search._replace(low=low, high=high, bracketed=(bracketed | ~lower | turns).double())


def _next_step(search: Search, narrowed: Search, trial: Point) -> tuple[Tensor, Tensor]:
    """The step to try next, and whether it is close to an end of its interval."""
    low, high = narrowed.low, narrowed.high
    ends = torch.minimum(low.step, high.step), torch.maximum(low.step, high.step)
    within, crowded = _apart(lowest(low, high, *ends), *ends, search.crowded > 0)
    least = trial.step + _LEAST_GROWTH * (trial.step - search.low.step)
    further = lowest(search.low, trial, least, _MOST_GROWTH * trial.step)
    bracketed = narrowed.bracketed > 0
    return torch.where(bracketed, within, further), (bracketed & crowded).double()


def lowest(first: Point, second: Point, least: Tensor, most: Tensor) -> Tensor:
    """Where the cubic through two points with their slopes is lowest, between two bounds.

    Nocedal and Wright 2006, eq. 3.59; the middle of the bounds where the cubic has no minimum.
    """
    width = second.step - first.step
    bend = first.slope + second.slope - 3 * (second.loss - first.loss) / width
    square = bend.square() - first.slope * second.slope
    root = width.sign() * square.clamp(min=0).sqrt()
    part = (second.slope + root - bend) / (second.slope - first.slope + 2 * root)
    found = second.step - width * part
    has = (square >= 0) & found.isfinite()
    return torch.where(has, found, (least + most) / 2).clamp(least, most)


def _apart(step: Tensor, least: Tensor, most: Tensor, crowded: Tensor) -> tuple[Tensor, Tensor]:
    """The step, away from the ends of an interval if it is on one or close to one again.

    Without it, an end would creep towards the minimum by ever smaller steps.
    """
    margin = _MARGIN * (most - least)
    close = torch.minimum(most - step, step - least) < margin
    moved = close & (crowded | (step >= most) | (step <= least))
    inner = torch.where(most - step < step - least, most - margin, least + margin)
    return torch.where(moved, inner, step), close & ~moved


def _exhausted(search: Search, least: Tensor, dtype: torch.dtype) -> Tensor:
    """Whether there is nothing left to try: too often, or between ends too close to each other."""
    low, high, step = (t.to(dtype) for t in (search.low.step, search.high.step, search.step))
    closed = ((search.high.step - search.low.step).abs() <= least) | (step == low) | (step == high)
    return (search.trials >= MOST) | ((search.bracketed > 0) & closed)


def _chosen(which: Tensor, yes: Point, no: Point) -> Point:
    return Point(*(torch.where(which, a, b) for a, b in zip(yes, no, strict=True)))

"""How far a population is: loss, samples a second, time that remains."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

from phasezoo.training.member import Member

MOST_LINES = 100  # of a model, or of those that are trained together
Report = Callable[[str], None]


def silent(line: str) -> None:
    """Say nothing."""


class Progress:
    """Counts epochs of models, and says a line now and then."""

    def __init__(
        self,
        members: Sequence[Member],
        last: int,
        report: Report,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Of members that are trained up to epoch `last`."""
        self.last, self.report, self._clock = last, report, clock
        self._left = sum(_work(member, last) for member in members)  # samples
        self._done, self._began = 0, clock()

    def every(self, origin: int) -> int:
        """Epochs from one line to the next, for models that start at an epoch."""
        return max(1, (self.last - origin) // MOST_LINES)

    def told(
        self, members: Sequence[Member], before: int, epoch: int, losses: Sequence[float]
    ) -> None:
        """Members have come from one epoch to another, with mean losses of the last of them."""
        samples = sum(member.samples for member in members) * (epoch - before)
        self._done, self._left = self._done + samples, self._left - samples
        if epoch % self.every(members[0].origin.epoch) == 0 or epoch == self.last:
            self.report(self._line(members, epoch, losses))

    def _line(self, members: Sequence[Member], epoch: int, losses: Sequence[float]) -> str:
        speed = self._done / max(self._clock() - self._began, 1e-9)
        remaining = timedelta(seconds=round(self._left / max(speed, 1e-9)))
        return (
            f"{_called(members)} epoch {epoch}/{self.last} loss {_range(losses)}, "
            f"{speed:,.0f} samples/s, {remaining} left"
        )


def _work(member: Member, last: int) -> int:
    return max(0, last - member.origin.epoch) * member.samples


def _called(members: Sequence[Member]) -> str:
    """The names of a model, or what those of several have in common."""
    columns = list(zip(*(member.names for member in members), strict=True))
    shared = [column[0] for column in columns if len(set(column)) == 1]
    return " ".join(shared) if len(members) == 1 else f"{' '.join(shared)} ({len(members)} models)"


def _range(losses: Sequence[float]) -> str:
    finite = sorted(loss for loss in losses if math.isfinite(loss))
    if not finite:
        return "nan"
    least, most = f"{finite[0]:.4f}", f"{finite[-1]:.4f}"
    return least if least == most else f"{least} to {most}"

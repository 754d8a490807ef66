"""What a job says in its log."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from datetime import timedelta
from time import monotonic

_LOGGER = logging.getLogger("phasezoo")


def start_log() -> None:
    """Send the job's messages to standard error, which its rule keeps in a file."""
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(message)s", level=logging.INFO)


def say(message: str) -> None:
    """One line of progress."""
    _LOGGER.info(message)


class Progress:
    """How far a job over several parts is, and what time the rest will take.

    Args:
        parts: what they are called.
        count: of all parts, those that were there already included.
        work: of each part that is to be made, in any unit.
    """

    def __init__(self, parts: str, count: int, work: Sequence[float]) -> None:
        self._parts, self._count, self._left = parts, count, list(work)
        self._began, self._done = monotonic(), 0.0
        if there := count - len(work):
            say(f"{there} of {count} {parts} were finished before")

    def add(self, work: float) -> None:
        """One part more is made; say what is left."""
        self._done += work
        self._left.remove(work)
        seconds = (monotonic() - self._began) / self._done * sum(self._left)
        done = self._count - len(self._left)
        left = f", about {timedelta(seconds=round(seconds))} left" if self._left else ""
        say(f"{done} of {self._count} {self._parts}{left}")

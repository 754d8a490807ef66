"""What a job says in its log."""

from __future__ import annotations

import logging
import sys

_LOGGER = logging.getLogger("phasezoo")


def start_log() -> None:
    """Send the job's messages to standard error, which its rule keeps in a file."""
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(message)s", level=logging.INFO)


def say(message: str) -> None:
    """One line of progress."""
    _LOGGER.info(message)

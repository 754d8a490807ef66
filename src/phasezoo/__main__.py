"""``python -m phasezoo``."""

from phasezoo.cli import run

run()

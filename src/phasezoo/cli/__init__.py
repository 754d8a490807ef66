"""The command line: what people call, and the steps that rules call."""

from phasezoo.cli.app import run

__all__ = ["run"]

"""A figure in the page, and what it says to those who cannot see it."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.figure import Figure

from phasezoo.report.canvas import svg


@dataclass(frozen=True)
class Picture:
    """A figure as it lies in the page, and its words."""

    source: str
    says: str


def picture(name: str, figure: Figure, says: str) -> Picture:
    """A figure with a name of its own in the page, on which its bytes depend."""
    return Picture(svg(figure, name), says)

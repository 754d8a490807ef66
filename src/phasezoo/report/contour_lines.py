"""Drawing the contours of the metrics that decide."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from phasezoo.report.contours import Contour, Floats
from phasezoo.report.grid import Point
from phasezoo.report.words import WORDS

# of their own colours and dashes, all of which show on the colours of the heat map
STYLES: dict[str, dict[str, Any]] = {
    "train_loss": {"color": "#D55E00", "linestyle": "solid"},
    "mode_connectivity": {"color": "#CC79A7", "linestyle": (0, (4, 1.5))},
    "test_error": {"color": "#CC79A7", "linestyle": (0, (4, 1.5))},
    "cka": {"color": "#56B4E9", "linestyle": (0, (1, 1))},
}
WIDTH = 2.0
FAR = 1.5  # cells between words, from which on they are not crowded
_HALO = [withStroke(linewidth=WIDTH + 1.6, foreground="white")]


def draw_contours(axes: Axes, contours: list[Contour], taken: list[Point]) -> None:
    """Draw every contour, with the name of its metric on its longest line.

    Args:
        axes: that hold the grid.
        contours: to be drawn.
        taken: places of other words, from which the names keep away.
    """
    taken = list(taken)
    for contour in contours:
        style = STYLES[contour.metric]
        lines = LineCollection(
            contour.lines, linewidths=WIDTH, zorder=3.5, path_effects=_HALO, label=contour.metric,
            colors=style["color"], linestyles=[style["linestyle"]],
        )  # fmt: skip
        axes.add_collection(lines, autolim=False)
        if contour.lines:
            taken.append(_free(max(contour.lines, key=_length), taken))
            name = WORDS[contour.metric].short
            axes.text(
                *taken[-1], name, color=style["color"], size=7.5, weight="bold",
                ha="center", va="center", zorder=5, path_effects=_HALO,
            )  # fmt: skip


def contour_key(contours: list[Contour]) -> list[Line2D]:
    """What the lines stand for, with the thresholds; nothing for a metric that crosses nowhere."""
    return [
        Line2D([], [], linewidth=WIDTH, label=_label(c), **STYLES[c.metric])
        for c in contours
        if c.lines
    ]


def _label(contour: Contour) -> str:
    word = WORDS[contour.metric]
    return f"{word.title} = {word.value(contour.threshold)}"


def _steps(line: Floats) -> Floats:
    return np.asarray(np.hypot(*np.diff(line, axis=0).T))


def _length(line: Floats) -> float:
    return float(_steps(line).sum())


def _free(line: Floats, taken: list[Point]) -> Point:
    """The point of a polyline nearest to its middle that is far from all others."""
    along = np.concatenate([[0.0], np.cumsum(_steps(line))])
    shares = np.linspace(0.1, 0.9, 17)
    places = np.stack([np.interp(shares * along[-1], along, line[:, d]) for d in (0, 1)], axis=1)
    far = np.full(shares.size, FAR)
    for other in taken:
        far = np.minimum(far, np.hypot(*(places - other).T))
    best = min(range(shares.size), key=lambda i: (-far[i], abs(shares[i] - 0.5)))
    return float(places[best, 0]), float(places[best, 1])

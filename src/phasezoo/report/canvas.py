"""What every figure shares: one style, rows of panels, reproducible SVG."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

STYLE = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.labelsize": 8.5,
    "hatch.linewidth": 0.6,
    "legend.frameon": False,
    "svg.fonttype": "none",  # text as text, not a path for each letter
}
_PLAIN = " =:/,;()+-."  # what an address in an attribute may hold as it is
WIDTH = 11.0  # inches
COLUMNS = 3


@contextmanager
def styled() -> Iterator[None]:
    """The style of the report, whatever the user's own is."""
    with style.context(["default", STYLE]):
        yield


def panelled(count: int, row_height: float) -> tuple[Figure, list[Axes]]:
    """A figure of `count` axes in rows of three, `row_height` inches each."""
    rows = -(-count // COLUMNS)
    figure = Figure(figsize=(WIDTH, rows * row_height + 0.4), layout="constrained")
    axes = list(figure.subplots(rows, COLUMNS, squeeze=False).ravel())
    for spare in axes[count:]:
        spare.set_axis_off()
    return figure, axes[:count]


def svg(figure: Figure, name: str) -> str:
    """A figure as a data URI; the same figure and name give the same bytes."""
    buffer = io.BytesIO()
    with style.context(["default", STYLE, {"svg.hashsalt": name}]):
        metadata = {"Date": None, "Creator": None, "Title": name}
        figure.savefig(buffer, format="svg", dpi=144, metadata=metadata)  # of pictures in it
    return "data:image/svg+xml," + quote(compact(buffer.getvalue().decode()), safe=_PLAIN)


def compact(text: str) -> str:
    """The same SVG in fewer bytes: coordinates to a hundredth of a point, no white space."""
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    return re.sub(r">\s+<", "><", _PLACED.sub(_rounded, text))


_PLACED = re.compile(r' (?:d|x|y|x1|x2|y1|y2)="[^"]*"|translate\([^)]*\)')
_LONG = re.compile(r"-?\d+\.\d{3,}")


def _rounded(found: re.Match[str]) -> str:
    short = _LONG.sub(lambda number: format(round(float(number[0]), 2) + 0.0, "g"), found[0])
    return re.sub(r"\s*\n\s*", " ", short).replace(' "', '"')

"""Colours that people of any colour vision can tell apart, and the scales behind them."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LogNorm, Normalize, SymLogNorm, to_hex, to_rgb
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from phasezoo.report.panels import Scale
from phasezoo.vocabulary import Phase

MISSING = "#d9d9d9"

# Okabe and Ito, https://jfly.uni-koeln.de/color: five that also differ in lightness
PHASE_COLOURS = {
    Phase.I: "#D55E00",
    Phase.II: "#E69F00",
    Phase.III: "#CC79A7",
    Phase.IV_A: "#0072B2",
    Phase.IV_B: "#009E73",
    Phase.UNDER_TRAINED: "#D55E00",
    Phase.OVER_TRAINED: "#0072B2",
    Phase.WELL_TRAINED: "#009E73",
    Phase.MISSING: MISSING,
}
# ways of aligning: those above, two of Tol's muted set, and greys; markers tell them apart too
WAYS = {
    "none": ("#4d4d4d", "s"),
    "weights": ("#0072B2", "o"),
    "activations": ("#D55E00", "^"),
    "products": ("#E69F00", "v"),
    "straight_through": ("#009E73", "D"),
    "merge_many": ("#CC79A7", "P"),
    "universe": ("#56B4E9", "X"),
    "sinkhorn": ("#882255", "<"),
    "exhaustive": ("#999933", ">"),
}
ZOOS = [style for way, style in WAYS.items() if way != "none"]  # one after the other
BESIDE = {  # what merges are compared with, told apart by their dashes
    "single": ("#000000", "-"),
    "best": ("#4d4d4d", (0, (1, 1))),
    "with_prior": ("#AA4499", "--"),
    "ensemble": ("#117733", "-."),
    "full": ("#661100", (0, (5, 1, 1, 1, 1, 1))),
}
DECADES_SHOWN = 6.0
PLAIN_DECADES = 3.0
PALE = 0.38  # share of its colour that a tint keeps


def scale_of(scale: Scale, values: np.ndarray) -> tuple[Normalize, str]:
    """Norm and name of the colour map for `values`; not finite ones play no part.

    On "log" the values <= 0 take the lowest colour. "signed log" is "log" where no value is
    negative.
    """
    finite = values[np.isfinite(values)].astype(float)
    largest = float(np.abs(finite).max(initial=0)) or 1.0
    match scale:
        case "signed":
            return Normalize(-largest, largest), "RdBu"
        case "signed log" if (finite < 0).any():
            smallest = float(np.abs(finite[finite != 0]).min())
            linear = max(smallest, largest / 10**DECADES_SHOWN)
            return SymLogNorm(min(linear, largest / 10), vmin=-largest, vmax=largest), "PuOr_r"
        case "log" | "signed log":
            return _logarithmic(finite), "viridis"
        case "linear":
            low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
            return Normalize(low, high if high > low else low + 1.0), "viridis"


def draw_colour_bar(axes: Axes, drawn: QuadMesh, name: str) -> None:
    """Draw the colour bar of a heat map; a short logarithmic one has its ticks in plain numbers."""
    bar = axes.figure.colorbar(drawn, ax=axes, label=name, shrink=0.9)
    low, high = bar.ax.get_ylim()
    if isinstance(drawn.norm, SymLogNorm):
        bar.set_ticks(_signed_decades(drawn.norm.linthresh, high))
    elif isinstance(drawn.norm, LogNorm) and high < low * 10**PLAIN_DECADES:
        bar.set_ticks(LogLocator(subs=(1, 2, 5) if high > 5 * low else range(1, 10)))
        bar.formatter = FuncFormatter(lambda value, _: f"{value:g}")
        bar.ax.yaxis.set_minor_formatter(NullFormatter())


def _signed_decades(linear: float, largest: float) -> list[float]:
    """0 and at most three powers of ten on either side of it, none close to 0."""
    top, bottom = int(np.floor(np.log10(largest))), int(np.ceil(np.log10(linear)))
    powers = [10.0**e for e in range(top, min(bottom, top - 1), min(-1, (bottom - top) // 3))]
    return [*(-p for p in powers), 0.0, *reversed(powers)]


def _logarithmic(finite: np.ndarray) -> LogNorm:
    positive = finite[finite > 0]
    low, high = (positive.min(), positive.max()) if positive.size else (0.1, 1.0)
    return LogNorm(low, high if high > low else 10 * low, clip=True)


def tint(colour: str) -> str:
    """A pale form of a colour: most of it white, its hue still to be told from others."""
    return to_hex([1 - PALE * (1 - part) for part in to_rgb(colour)])


def ink_on(colour: str) -> str:
    """Black or white, whichever is read better on `colour`."""
    red, green, blue = to_rgb(colour)
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.45 else "white"

"""What phases explain beyond load and temperature: a figure and a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phasezoo.phases.projections import Floats
from phasezoo.phases.quantities import QUANTITIES
from phasezoo.report.canvas import WIDTH, styled
from phasezoo.report.tables import NOTHING
from phasezoo.store.variables.explained import POSITION, QUANTITY

TITLES = {quantity.name: quantity.title for quantity in QUANTITIES}
POSITIONS = {
    "additive": "each load and each temperature",
    "surface": "also a smooth interaction of both",
}
_COLOURS = {"additive": "#0072B2", "surface": "#D55E00"}
_MARKERS = {"additive": "o", "surface": "s"}
_LEAST = -1.0  # where intervals are cut in the figure; the table has them whole


@dataclass(frozen=True)
class Line:
    """One quantity with one idea of what load and temperature do by themselves."""

    title: str
    basis: str
    position: str
    numbers: list[tuple[str, str]]  # a number, and its interval where it has one


COLUMNS = (
    ("chance of seeds", "seed_share"),
    ("R²: phase", "phase_r2"),
    ("R²: load, temperature", "position_r2"),
    ("R²: and phase", "position_and_phase_r2"),
    ("phase beyond them", "phase_beyond"),
    ("without chance", "phase_beyond_true"),
    ("cells left out", "phase_beyond_left_out"),
    ("maps that do as well", "phase_chance"),
    ("Holm", "phase_chance_of_all"),
)
_FEW = 20  # maps, with fewer of which no share can be 0.05


def tells(explained: xr.Dataset) -> bool:
    """Whether anything is told: one load or one temperature leaves nothing to the phase."""
    return bool(explained["phase_beyond"].notnull().any())


def lines(explained: xr.Dataset) -> list[Line]:
    """The table: two lines for each quantity."""
    explained = explained.assign(phase_chance_of_all=_of_all(explained["phase_chance"]))
    return [
        Line(TITLES[name], _basis(explained.sel({QUANTITY: name})), POSITIONS[how], _numbers(of))
        for name in explained[QUANTITY].values.tolist()
        for how in explained[POSITION].values.tolist()
        for of in [explained.sel({QUANTITY: name, POSITION: how})]
    ]


def _basis(of: xr.Dataset) -> str:
    whose = "other" if int(of["cross_fitted"]) == 1 else "the same"
    counted = f"n = {int(of['explained_values'])}, {int(of['explained_cells'])} cells"
    return f"{counted}; labels by {whose} seeds"


def _of_all(chance: xr.DataArray) -> xr.DataArray:
    """Shares corrected for all quantities of a position (`holm`)."""
    axis = chance.get_axis_num(QUANTITY)
    return chance.copy(data=np.apply_along_axis(holm, axis, chance.values))


def holm(shares: Floats) -> Floats:
    """Shares corrected for how many there are, so that few of all are small by chance.

    The i-th smallest of m times m - i + 1, but no less than those before it, at most 1 (Holm 1979,
    Scandinavian Journal of Statistics 6, 65). What is not a number is not counted.
    """
    known = np.flatnonzero(np.isfinite(shares))
    order = known[np.argsort(shares[known], kind="stable")]
    times = np.arange(known.size, 0, -1)
    out = np.full_like(shares, np.nan)
    out[order] = np.minimum(np.maximum.accumulate(shares[order] * times), 1.0)
    return out


def least_chance(explained: xr.Dataset) -> str:
    """How small a share of maps can be at all."""
    maps, told = explained["phase_maps"], explained["phase_chance"].notnull()
    most, fewest = int(maps.max()), int(maps.min())
    of_all = min(int(told.sum(QUANTITY).max()) / most, 1.0)
    says = f"Of {most} maps the smallest share is {1 / most:.2g}, corrected {of_all:.2g}."
    if fewest < _FEW:
        says += f" Where the grid has {fewest} maps, fewer than {_FEW}, it cannot be 0.05."
    return says


def _numbers(of: xr.Dataset) -> list[tuple[str, str]]:
    interval = [_text(of[f"phase_beyond_{end}"]) for end in ("low", "high")]
    doubt = f"[{', '.join(interval)}]" if NOTHING not in interval else ""
    return [(_text(of[n]), doubt if n == "phase_beyond" else "") for _, n in COLUMNS]


def _text(value: xr.DataArray) -> str:
    number = float(value)
    return f"{number:.2f}".replace("-", "\N{MINUS SIGN}") if np.isfinite(number) else NOTHING


def explained_figure(explained: xr.Dataset) -> Figure:
    """Left: R2 of load and temperature, and with the phase; right: what the phase adds to them."""
    names = explained[QUANTITY].values.tolist()
    with styled():
        figure = Figure(figsize=(WIDTH, 0.42 * len(names) + 1.3), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        for which, (how, colour) in enumerate(_COLOURS.items()):
            of, places = explained.sel({POSITION: how}), np.arange(len(names)) + 0.34 * which - 0.17
            _shares(left, of, places, colour)
            _beyond(right, of, places, colour, _MARKERS[how], POSITIONS[how])
        left.set_yticks(range(len(names)), [TITLES[name] for name in names])
        left.set_ylim(len(names) - 0.5, -0.5)
        left.set_xlim(0, 1)
        left.set_title("R² between cells: load and temperature, and phase")
        left.set_xlabel("pale: what the phase adds")
        right.axvline(0, color="#666666", linewidth=0.8, zorder=0)
        right.set_xlim(_LEAST, 1)
        right.set_title("Share of the rest that the phase explains")
        right.set_xlabel("adjusted, with 95 % interval")
        figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def _shares(axes: Axes, of: xr.Dataset, places: np.ndarray, colour: str) -> None:
    position, both = (of[n].values for n in ("position_r2", "position_and_phase_r2"))
    axes.barh(places, both, height=0.3, color=colour, alpha=0.35)
    axes.barh(places, position, height=0.3, color=colour)
    axes.spines[["top", "right"]].set_visible(False)


def _beyond(
    axes: Axes, of: xr.Dataset, places: np.ndarray, colour: str, marker: str, label: str
) -> None:
    low, high = (of[f"phase_beyond_{end}"].values for end in ("low", "high"))
    axes.hlines(places, np.maximum(low, _LEAST), high, color=colour, linewidth=2)
    axes.plot(of["phase_beyond"], places, marker, color=colour, label=label, linestyle="none")
    axes.spines[["top", "right"]].set_visible(False)

"""Borders, orientation, missing cells and scales."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import LogNorm, Normalize, SymLogNorm
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle

from phasezoo.report import curves, figures, grid, panels
from phasezoo.report.colours import ink_on, scale_of
from phasezoo.report.phase_map import phase_map
from phasezoo.vocabulary import Phase
from report.mock import EQUATION, SMALL, emptied, mock, relabelled


def _phases(codes: list[list[int]], temperature: str = "batch_size") -> xr.DataArray:
    """Codes as they shall stand on the page; widths across, batch sizes down."""
    rows, columns = np.shape(codes)
    out = xr.DataArray(
        np.asarray(codes, dtype="int8"),
        dims=("temperature", "load"),
        coords={"temperature": 2.0 ** np.arange(rows), "load": 2 ** np.arange(columns)},
    )
    out["load"].attrs["hyperparameter"] = "width"
    out["temperature"].attrs["hyperparameter"] = temperature
    return out


MAP = _phases([[1, 2, 2], [1, 4, 5]])


def test_borders_of_a_small_map():
    assert set(grid.borders(MAP)) == {
        ((1.0, 0.0), (1.0, 1.0)),  # I | II
        ((1.0, 1.0), (1.0, 2.0)),  # I | IV-A
        ((2.0, 1.0), (2.0, 2.0)),  # IV-A | IV-B
        ((1.0, 1.0), (2.0, 1.0)),  # II over IV-A
        ((2.0, 1.0), (3.0, 1.0)),  # II over IV-B
    }


def test_one_phase_has_no_border():
    assert grid.borders(xr.full_like(MAP, 3)) == []


def test_borders_do_not_depend_on_the_order_in_memory():
    assert set(grid.borders(MAP.T.isel(load=[2, 0, 1], temperature=[1, 0]))) == set(
        grid.borders(MAP)
    )


def test_load_falls_to_the_right_and_temperature_downwards():
    shown = grid.oriented(MAP.isel(load=slice(None, None, -1)))
    assert shown["load"].values.tolist() == [1, 2, 4]  # width grows, load falls
    assert shown["temperature"].values.tolist() == [1, 2]  # batch size grows, temperature falls


def test_an_axis_that_grows_with_its_values_is_turned():
    shown = grid.oriented(_phases([[1], [2]], "learning_rate"))
    assert shown["temperature"].values.tolist() == [2, 1]


def test_every_region_is_named_once_inside_itself():
    named = list(grid.regions(_phases([[1, 2, 1], [1, -1, 1]])))
    assert [phase for phase, _ in named] == [Phase.I, Phase.I, Phase.II]
    assert {x for phase, (x, _) in named if phase is Phase.I} == {0.5, 2.5}


def test_missing_cells_are_hatched_and_ticks_are_true_values():
    axes = Figure().subplots()
    values = MAP.astype(float).where(MAP != 4)
    grid.draw_cells(axes, values, Normalize(0, 5), "viridis")
    hatched = [p for p in axes.patches if isinstance(p, Rectangle) and p.get_hatch()]
    assert [p.get_xy() for p in hatched] == [(1, 1)]
    assert [t.get_text() for t in axes.get_xticklabels()] == ["1", "2", "4"]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["1", "2"]
    assert axes.yaxis_inverted()


def test_borders_are_drawn():
    axes = Figure().subplots()
    grid.draw_borders(axes, MAP)
    drawn = [p.get_path() for p in axes.patches if isinstance(p, PathPatch)]
    assert [np.sum(path.codes == path.LINETO) for path in drawn] == [5, 5]


@pytest.mark.parametrize(
    ("scale", "values", "norm"),
    [
        ("linear", [1.0, 2.0], Normalize),
        ("log", [0.0, 1e-3, 10.0], LogNorm),
        ("signed log", [1e-3, 10.0], LogNorm),
        ("signed log", [-5.0, 1e-3, 10.0], SymLogNorm),
        ("signed", [-1.0, 3.0], Normalize),
    ],
)
def test_scales(scale, values, norm):
    found, _ = scale_of(scale, np.array([*values, np.nan, np.inf]))
    assert type(found) is norm or isinstance(found, norm)
    colours = found(np.array(values))
    assert (np.diff(colours) >= 0).all()
    assert colours[0] < colours[-1]
    assert colours.min() >= 0
    assert colours.max() <= 1


@pytest.mark.parametrize("scale", ["linear", "log", "signed log", "signed"])
@pytest.mark.parametrize("values", [[], [0.0], [2.0, 2.0], [np.nan], [-1.0, 0.0]])
def test_scales_of_nothing_or_one_value(scale, values):
    found, _ = scale_of(scale, np.array(values))
    assert found.vmin < found.vmax


def test_signed_scales_have_zero_in_the_middle():
    for scale in ("signed", "signed log"):
        norm, _ = scale_of(scale, np.array([-2.0, 7.0]))
        assert norm(0.0) == pytest.approx(0.5)


def test_labels_can_be_read_on_their_colours():
    assert ink_on("#ffffff") == "black"
    assert ink_on("#000000") == "white"


def test_panels_of_one_family_share_their_scale():
    results = mock(**SMALL)
    data = results.at_epoch("merging")
    figure = figures.panel_figure(panels.MERGING, data, results.phase)
    naive, aligned = (axes.collections[0].get_clim() for axes in figure.axes[:2])
    assert naive == aligned


def test_a_variable_missing_everywhere_is_hatched_everywhere():
    results = emptied(mock(**SMALL), "metrics", "cka")
    shown = [p for p in panels.METRICS if p.title.startswith("CKA")]
    axes = figures.panel_figure(shown, results.at_epoch("metrics"), results.phase).axes[0]
    assert sum(1 for p in axes.patches if p.get_hatch()) == results.phase.size


def test_gains_of_seed_averages_compare_with_the_seeds_of_the_block():
    results = mock(**SMALL, blocks=((0, 1), (2, 3)))
    data = results.at_epoch("merging")
    gain = next(p for p in panels.MERGING if p.title.endswith("one, naive")).of(data)
    cell = {"load": 8, "temperature": 64}
    alone = data["single_error"].sel(cell).sel(seed=[2, 3]).mean()
    expected = 100 * (alone - data["seed_average_error_naive"].sel(**cell, block="2+3"))
    assert float(gain.sel(**cell, block="2+3")) == pytest.approx(float(expected), rel=1e-5)


def test_learning_curves_have_a_line_per_phase_that_occurs():
    figure = curves.learning_curves(relabelled(mock(**SMALL), Phase.IV_A))
    assert [len(axes.lines) for axes in figure.axes] == [1, 1]


def test_axes_that_grow_with_their_values_run_from_high_load_and_to_high_temperature():
    axes = phase_map(mock(**EQUATION)).axes[0]
    assert [t.get_text() for t in axes.get_xticklabels()] == ["30", "20", "10", "5", "1"]
    # from the top down
    assert [t.get_text() for t in axes.get_yticklabels()] == ["0.01", "0.003", "0.001", "0.0003"]
    assert axes.yaxis_inverted()
    assert axes.get_xlabel() == "coefficient of the equation\n(load falls →)"
    assert axes.get_ylabel() == "learning rate\n(temperature rises →)"


def test_errors_beyond_100_per_cent_are_in_the_scale():
    results = mock(**EQUATION)
    drawn = phase_map(results).axes[0].collections[0]
    errors = 100 * results.at_epoch("metrics")["test_error"].mean("seed")
    assert drawn.get_clim() == pytest.approx((float(errors.min()), float(errors.max())))
    assert drawn.get_clim()[1] > 200
    lines = [line for axes in curves.learning_curves(results).axes for line in axes.lines]
    assert max(line.get_ydata().max() for line in lines) > 200

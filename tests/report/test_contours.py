"""Lines along which a metric crosses its threshold, against places known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from phasezoo.phases.scheme import PHASES, REGIMES
from phasezoo.report.contour_lines import contour_key, draw_contours
from phasezoo.report.contours import contours, level_lines
from report.mock import mock

ROWS, COLUMNS = 5, 7
ACROSS = np.arange(COLUMNS) + 0.5  # x of the centres of cells
ALL = np.ones((ROWS, COLUMNS), dtype=bool)


def ramp(slope: float = 1.0) -> np.ndarray:
    """Values slope * x at the centres of the cells."""
    return np.tile(slope * ACROSS, (ROWS, 1))


def cells(
    loss: np.ndarray, connectivity: np.ndarray | None = None, cka: np.ndarray | None = None
) -> xr.Dataset:
    """Numbers that decided, as they stand on the page: widths across, batch sizes down."""
    given = {"train_loss": loss, "mode_connectivity": connectivity, "cka": cka}
    full = {n: np.zeros_like(loss) if v is None else v for n, v in given.items()}
    dims = ("temperature", "load")
    out = xr.Dataset(
        {f"{name}_of_cell": (dims, values) for name, values in full.items()},
        coords={"temperature": 2 ** np.arange(len(loss)), "load": 2 ** np.arange(len(loss[0]))},
    )
    out["load"].attrs["hyperparameter"] = "width"
    out["temperature"].attrs["hyperparameter"] = "batch_size"
    return out


def of(found: list, metric: str) -> list[np.ndarray]:
    return next(contour.lines for contour in found if contour.metric == metric)


@pytest.mark.parametrize("slope", [1.0, -2.0])
@pytest.mark.parametrize("place", [0.8, 2.3, 4.0, 6.4])
def test_a_linear_ramp_is_crossed_at_the_exact_place_from_edge_to_edge(slope, place):
    (line,) = level_lines(ramp(slope), slope * place, ALL)
    assert np.allclose(line[:, 0], place, atol=1e-9)
    assert sorted(line[[0, -1], 1]) == [0.0, ROWS]


def test_a_plane_is_crossed_along_a_straight_line():
    x, y = np.meshgrid(ACROSS, np.arange(ROWS) + 0.5)
    (line,) = level_lines(2 * x + 3 * y, 14.2, ALL)
    inside = ((line >= 0.5) & (line <= np.array([COLUMNS, ROWS]) - 0.5)).all(axis=1)
    assert inside.sum() > ROWS
    assert np.allclose(line[inside] @ [2, 3], 14.2)


@pytest.mark.parametrize("level", [0.4, 0.5, 6.6])
def test_a_level_that_is_not_passed_has_no_line(level):
    assert list(level_lines(ramp(), level, ALL)) == []


def test_lines_end_at_the_edge_of_the_cells_asked():
    asked = ALL.copy()
    asked[:2] = False
    (line,) = level_lines(ramp(), 2.3, asked)
    assert sorted(line[[0, -1], 1]) == [2.0, ROWS]


def test_cells_not_asked_play_no_part_whatever_is_in_them():
    asked = ALL.copy()
    asked[:, 5:] = asked[2] = False
    plain = list(level_lines(ramp(), 2.3, asked))
    for other in (-1e6, 1e6, np.nan):
        changed = list(level_lines(np.where(asked, ramp(), other), 2.3, asked))
        assert len(plain) == len(changed) == 2
        assert all(np.array_equal(a, b) for a, b in zip(plain, changed, strict=True))


def test_losses_are_interpolated_on_their_logarithm():
    found = contours(cells(10 ** -ramp()), PHASES, at(train_loss=10**-3.2))
    (line,) = of(found, "train_loss")
    assert np.allclose(line[:, 0], 3.2)


def test_barriers_and_likenesses_are_interpolated_as_they_are():
    low = np.full((ROWS, COLUMNS), 1e-3)
    table = cells(low, connectivity=-0.1 + ramp(0.02), cka=ramp(0.1))
    found = contours(table, PHASES, at(mode_connectivity=0.03, cka=0.42))
    (barrier,) = of(found, "mode_connectivity")
    (likeness,) = of(found, "cka")
    assert np.allclose(barrier[:, 0], 3.5)  # -0.1 + 0.02 x = -0.03
    assert np.allclose(likeness[:, 0], 4.2)


def test_a_question_is_drawn_where_it_is_put_and_nowhere_else():
    loss = np.full((ROWS, COLUMNS), 1e-3)
    loss[:2] = 1.0  # the hot rows are underfitted
    table = cells(
        loss, connectivity=-0.1 + ramp(0.02), cka=np.tile(0.1 * np.arange(ROWS), (7, 1)).T
    )
    found = contours(table, PHASES, at(mode_connectivity=0.03, cka=0.32))
    (barrier,) = of(found, "mode_connectivity")
    assert barrier[:, 1].min() == 2.0
    (likeness,) = of(found, "cka")  # only of connected cells: the cells from x = 3 on
    assert likeness[:, 0].min() == 3.0
    assert np.allclose(likeness[:, 1], 3.7)


def test_an_axis_that_is_turned_turns_its_lines():
    table = cells(10 ** -ramp())
    table["load"].attrs.clear()  # load then grows with its values, and falls to the right
    (line,) = of(contours(table, PHASES, at(train_loss=10**-3.2)), "train_loss")
    assert np.allclose(line[:, 0], COLUMNS - 3.2)


def test_regimes_have_lines_of_their_own_metrics():
    low = np.full((ROWS, COLUMNS), 1e-3)
    table = cells(low).assign(test_error_of_cell=(("temperature", "load"), 10 ** -ramp()))
    found = contours(table, REGIMES, {"train_loss": 0.1, "test_error": 10**-2.7})
    assert [contour.metric for contour in found] == ["train_loss", "test_error"]
    assert of(found, "train_loss") == []
    assert np.allclose(of(found, "test_error")[0][:, 0], 2.7)


def test_lines_are_drawn_and_named_and_only_those_that_cross():
    found = contours(cells(10 ** -ramp()), PHASES, at(train_loss=10**-3.2))
    axes = Figure().subplots()
    draw_contours(axes, found, taken=[])
    drawn = {c.get_label(): c.get_segments() for c in axes.collections}
    assert np.allclose(drawn["train_loss"][0][:, 0], 3.2)
    assert [t.get_text() for t in axes.texts] == ["loss"]
    assert [line.get_label() for line in contour_key(found)] == ["training loss = 0.000631"]


def test_names_keep_away_from_other_words():
    found = contours(cells(10 ** -ramp()), PHASES, at(train_loss=10**-3.2))
    axes = Figure().subplots()
    draw_contours(axes, found, taken=[(3.2, 2.5)])
    assert np.hypot(*np.subtract(axes.texts[0].get_position(), (3.2, 2.5))) >= 1.5


def test_lines_lie_between_cells_of_different_label_on_a_zoo():
    results = mock()
    found = contours(results.labels, results.labelling.scheme, results.thresholds)
    loss = results.labels["train_loss_of_cell"].transpose("temperature", "load").values
    low = loss < results.thresholds["train_loss"]  # the mock's axes stand as on the page
    for x, y in np.concatenate(of(found, "train_loss")):
        rows, columns = (
            slice(max(int(np.floor(v - 0.5)), 0), int(np.floor(v - 0.5)) + 2) for v in (y, x)
        )
        near = low[rows, columns]
        assert near.any()
        assert not near.all()


def at(train_loss: float = 0.1, mode_connectivity: float = 0.01, cka: float = 0.5) -> dict:
    return {"train_loss": train_loss, "mode_connectivity": mode_connectivity, "cka": cka}

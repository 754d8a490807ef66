"""Cells that are not certain, and those near a border, can be told from the others."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

from phasezoo.report import grid
from phasezoo.report.colours import PHASE_COLOURS, tint
from phasezoo.report.phase_map import phase_map
from phasezoo.report.results import ZooResults
from phasezoo.vocabulary import FIVE_PHASES, THREE_REGIMES, Phase
from report.mock import REGIMES, SMALL, mock, relabelled, remade

HALF = 0.5  # confidence of what is not certain


def doubtful(results: ZooResults, *cells: tuple[int, int]) -> ZooResults:
    """The results with all cells certain but some (row, column) of the page, none near a border."""
    confidence = grid.oriented(results.labels["confidence"]) * 0 + 1
    for row, column in cells:
        confidence[row, column] = HALF
    return remade(results, confidence=confidence.drop_vars("epoch"), near_border=0)


def labels_of(figure: Figure) -> Axes:
    return next(axes for axes in figure.axes if "of each cell" in axes.get_title())


def colours(axes: Axes) -> np.ndarray:
    """The colours of the cells as they stand on the page."""
    mesh = axes.collections[0]
    shown = mesh.get_array()
    return np.array([[to_hex(mesh.to_rgba(v)) for v in row] for row in shown])


def texts(axes: Axes) -> dict[tuple[int, int], list[str]]:
    """Words by the (row, column) of the cell that they stand in."""
    found: dict[tuple[int, int], list[str]] = {}
    for text in axes.texts:
        x, y = text.get_position()
        found.setdefault((int(y), int(x)), []).append(text.get_text())
    return found


def corners(axes: Axes) -> list[tuple[int, int]]:
    marks = [p for p in axes.patches if isinstance(p, Polygon) and p.get_gid() == "near border"]
    return sorted((int(y), int(x)) for y, x in (m.get_xy().mean(axis=0)[::-1] for m in marks))


def test_cells_that_are_not_certain_are_pale_and_say_their_confidence():
    results = doubtful(mock(), (1, 2), (4, 0))
    axes = labels_of(phase_map(results))
    shown, words = colours(axes), texts(axes)
    for (row, column), code in np.ndenumerate(grid.oriented(results.phase).values):
        phase = Phase(int(code))
        full = PHASE_COLOURS[phase].lower()
        if (row, column) in [(1, 2), (4, 0)]:
            assert shown[row, column] == tint(full)
            assert words[row, column] == [phase.title, "50"]
        else:
            assert shown[row, column] == full
            assert words[row, column] == [phase.title]


def test_the_confidence_of_the_criteria_is_the_border_of_certainty():
    results = mock(**SMALL)
    for confidence, pale in ((0.8, False), (0.79, True)):
        given = remade(results, confidence=np.float32(confidence))
        shown = colours(labels_of(phase_map(given)))[0, 0]
        assert (shown not in {c.lower() for c in PHASE_COLOURS.values()}) == pale


def test_cells_near_a_border_have_a_corner():
    results = doubtful(mock())
    assert corners(labels_of(phase_map(results))) == []
    near = grid.oriented(results.labels["near_border"]).copy()
    near[2, 3] = near[0, 5] = 1
    marked = remade(results, near_border=near.drop_vars("epoch"))
    assert corners(labels_of(phase_map(marked))) == [(0, 5), (2, 3)]


def test_pale_colours_are_lighter_and_still_differ():
    pale = [tint(PHASE_COLOURS[phase]) for phase in FIVE_PHASES]
    assert len(set(pale)) == 5
    assert not set(pale) & {c.lower() for c in PHASE_COLOURS.values()}
    assert tint("#000000") != "#000000"
    assert tint("#ffffff") == "#ffffff"


def test_cells_without_a_label_are_neither_pale_nor_named():
    results = relabelled(mock(**SMALL), Phase.MISSING)
    axes = labels_of(phase_map(results))
    assert texts(axes) == {}
    assert np.ma.getmaskarray(axes.collections[0].get_array()).all()


def test_the_key_tells_what_is_missing_absent_pale_and_near():
    results = mock(**SMALL)
    said = [t.get_text() for t in phase_map(results).legends[0].get_texts()]
    assert "no value" in said
    assert "pale: not certain, with its confidence in % (below 80)" in said
    assert "near a border: a threshold ×/÷ 1.25 changes it" in said
    assert "training loss = 0.1" in said
    for phase in FIVE_PHASES:
        (entry,) = [t for t in said if t.startswith(f"{phase.title}:")]
        assert entry.endswith("(absent)") == (phase.title in results.coverage.absent)


def test_regimes_are_named_by_their_own_words():
    figure = phase_map(mock(criteria=REGIMES))
    said = [t.get_text() for t in figure.legends[0].get_texts()]
    assert [s for s in said if s.partition(":")[0] in {r.title for r in THREE_REGIMES}] == said[:3]
    words = {found[0] for found in texts(labels_of(figure)).values()}
    assert words <= {"under", "over", "well"}
    assert len(words) > 1
    assert labels_of(figure).get_title().startswith("Regime")


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (14, 3), (3, 14), (14, 14)])
def test_every_size_of_grid_can_be_drawn(size):
    widths, batches = (tuple(int(2**i) for i in range(1, n + 1)) for n in size)
    results = mock(widths=widths, batch_sizes=batches, epochs=(0, 5))
    figure = phase_map(results)
    figure.draw_without_rendering()
    axes = labels_of(figure)
    cell = min(axes.get_window_extent().width / size[0], axes.get_window_extent().height / size[1])
    for text in axes.texts:
        assert text.get_window_extent().height < cell

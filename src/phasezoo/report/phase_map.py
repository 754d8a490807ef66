"""The phase diagram: test error with borders, and the label of every cell with its doubt."""

from __future__ import annotations

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from phasezoo.report import grid
from phasezoo.report.canvas import WIDTH, styled
from phasezoo.report.colours import PHASE_COLOURS, draw_colour_bar, scale_of
from phasezoo.report.contour_lines import contour_key, draw_contours
from phasezoo.report.contours import contours
from phasezoo.report.labelled_cells import SIDE, doubt_key, draw_labels
from phasezoo.report.panels import TEST_ERROR
from phasezoo.report.results import ZooResults
from phasezoo.report.summary import cell_means
from phasezoo.report.words import NOUNS
from phasezoo.vocabulary import LOAD, PHASE_MEANINGS, TEMPERATURE, Phase

LEGEND = 1.5  # inches, with the titles


def phase_map(results: ZooResults) -> Figure:
    """The phase diagram over the test error, and beside it the label of every cell.

    On the left, lines show where each metric that decides crosses its threshold. On the right,
    labels that are not certain are pale and say their confidence; a corner marks the cells near a
    border.
    """
    phase, noun = results.phase, NOUNS[results.labelling.criteria.scheme]
    errors = cell_means(TEST_ERROR.of(results.at_epoch("metrics")))
    found = contours(results.labels, results.labelling.scheme, results.thresholds)
    height = SIDE * min(max(phase.sizes[TEMPERATURE] / phase.sizes[LOAD], 0.5), 1) + LEGEND
    with styled():
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        left, right = figure.subplots(1, 2)
        drawn = grid.draw_cells(left, errors, *scale_of(TEST_ERROR.scale, errors.values))
        draw_colour_bar(left, drawn, "test error (%)")
        draw_labels(right, results)
        for axes in (left, right):
            grid.draw_borders(axes, phase)
        draw_contours(left, found, [place for _, place in grid.regions(phase)])
        grid.name_regions(left, phase)
        left.set_title(f"Test error at epoch {results.epoch}, mean over seeds")
        right.set_title(f"{noun.capitalize()} of each cell, and its doubt")
        lacking = bool(errors.isnull().any() or (phase == Phase.MISSING).any())
        key = [*_label_key(results), *doubt_key(results), grid.border_key(), *contour_key(found)]
        key += [grid.missing_key()] if lacking else []
        figure.legend(handles=key, loc="outside lower center", ncols=3, columnspacing=2.5)
    return figure


def _label_key(results: ZooResults) -> list[Artist]:
    phase = results.phase
    return [
        Patch(color=PHASE_COLOURS[p], label=f"{p.title}: {PHASE_MEANINGS[p]}")
        if (phase == p).any()
        else Patch(facecolor="white", label=f"{p.title}: {PHASE_MEANINGS[p]} (absent)")
        for p in results.labelling.scheme.labels
    ]

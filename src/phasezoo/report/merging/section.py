"""The parts of the report's section on merging, each where the results hold what it needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import xarray as xr

from phasezoo.report.arms import CORRECTED
from phasezoo.report.merging import across, over_epochs, widths
from phasezoo.report.merging.entries import labels_of, name_of
from phasezoo.report.merging.measures import (
    BARRIERS,
    TRAIN,
    barriers,
    epochs_of,
    in_unit,
    measured,
)
from phasezoo.report.merging.per_phase import phase_tables
from phasezoo.report.panels import Panel
from phasezoo.report.pictures import Picture, picture
from phasezoo.report.results import ZooResults
from phasezoo.report.tables import Table
from phasezoo.report.words import NOUNS
from phasezoo.vocabulary import LOAD, PAIR, TEMPERATURE

OVER = {  # what is left out in turn, in words
    "pairs": "no model is in two of the pairs, so a pair is left out in turn",
    "seeds": "pairs that share a model are not independent, so a seed is left out in turn, with all "
    "its pairs",
    "blocks": "a block of seeds is left out in turn",
    "cells": "a cell has one pair, so a cell is left out in turn",
}


@dataclass(frozen=True)
class Part:
    """Something that was found, under a heading of its own.

    Attributes:
        slug: its place in the page.
        title: the heading.
        says: a paragraph under it.
        figures: each with its caption.
        tables: shown.
        folded: shown when asked for.
    """

    slug: str
    title: str
    says: str
    figures: list[tuple[Picture, str]] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    folded: list[Table] = field(default_factory=list)


def merging_parts(results: ZooResults) -> list[Part]:
    """What is known of the merging of a zoo."""
    if results.merging is None or PAIR not in results.merging.dims:
        return []
    found = barriers(results.at_epoch("merging"))
    panels = measured(found, results.judged.loss)
    return [*_widths(results, found, panels), *_epochs(results, panels), *_phases(results)]


def _widths(results: ZooResults, found: xr.Dataset, panels: dict[str, Panel]) -> Iterator[Part]:
    if found.sizes[LOAD] < 2 or not panels:
        return
    means = widths.against_load(found, list(panels))
    title = f"Barrier against {name_of(found[LOAD])}"
    drawn = picture(f"{results.name}-merging-loads", widths.load_figure(means, panels),
                    f"{title}; the tables below have the numbers.")  # fmt: skip
    caption = (
        f"{title} at epoch {results.epoch_of('merging')}. {_conditions(found)} {chance(list(means.values()))}"
        " Barriers are on a logarithmic scale, where an interval that holds 0 reaches the lower "
        "edge; the excess of the midpoint is linear between −1 and 1, logarithmic beyond."
    )
    says = (
        "A barrier is the largest loss on the straight line between two models minus the mean of "
        "the losses of its ends, and so is never negative. The midpoint may be better than the "
        "ends: its excess is then below 0."
    )
    yield Part("loads", title, says, [(drawn, caption)], widths.load_tables(means, panels))


def _epochs(results: ZooResults, panels: dict[str, Panel]) -> Iterator[Part]:
    found = barriers(results.merging)  # type: ignore[arg-type]
    if TRAIN not in panels or len(epochs_of(found)) < 2:
        return
    means, panel = over_epochs.against_epoch(found), panels[TRAIN]
    figures = []
    for correction in over_epochs.corrections_of(means):
        figure = over_epochs.epoch_figure(means, correction, panel)
        title = f"{panel.title} over the epochs, {CORRECTED[correction]}"
        drawn = picture(f"{results.name}-merging-epochs-{correction}", figure, f"{title}.")
        figures.append((drawn, f"{title}. {_conditions(found)} {chance([means])} Bands: intervals."))
    says = (
        "Checkpoints of the same epoch are aligned and merged anew at each epoch: at which of them "
        "models of different seeds come to lie in one valley, if they do."
    )
    table = over_epochs.epoch_table(means, panel)
    yield Part("epochs", "Barrier against epoch", says, figures, folded=[table])


def _phases(results: ZooResults) -> Iterator[Part]:
    noun = NOUNS[results.labelling.criteria.scheme]
    data, loss = results.at_epoch("merging"), results.judged.loss
    if tables := phase_tables(data, results.phase, noun, loss):
        says = (
            f"Means over the cells of each {noun}; a gain above 0 means that the merge errs less "
            "than a model alone. Intervals are percentile bootstraps over cells, as above."
        )
        yield Part("arms", f"Every way of merging, per {noun}", says, [], tables[:2], tables[2:])


def _conditions(found: xr.Dataset) -> str:
    """What a mean goes over beside the pairs."""
    axis = found[TEMPERATURE]
    if axis.size == 1:
        return f"At {name_of(axis)} {labels_of(axis)[0]}."
    return f"Means over {axis.size} values of {name_of(axis)}, which were chosen and are no chance."


def chance(means: Sequence[xr.Dataset]) -> str:
    """How intervals were come by."""
    units = dict.fromkeys(unit for of in means for unit in of.attrs["unit"].split(" or ") if unit)
    if not units:
        return "One pair tells nothing of chance, so there are no intervals."
    over = "; ".join(OVER[unit] for unit in units)
    return f"Intervals of 95 % are Student's with the variance of the jackknife: {over}."


def across_parts(zoos: Sequence[ZooResults]) -> list[Part]:
    """Barriers of zoos that can be compared with each other."""
    parts = []
    for place, of in enumerate(across.kin(zoos)):
        means = across.barriers_across(of)
        panel = in_unit(BARRIERS[TRAIN], of.zoos[0].judged.loss)
        title = f"Barriers of {of.title}, zoo by zoo"
        drawn = picture(f"across-{place}", across.across_figure(of, means, panel), f"{title}.")
        caption = f"{title}. {chance(list(means.values()))}"
        says = (
            "Zoos of one architecture and data set at the loads that two of them share, means over "
            "the temperatures in the table below. They differ in how they were trained: see the table."
        )
        tables = across.across_tables(of, means, panel)
        parts.append(Part(f"across-{place}", title, says, [(drawn, caption)], tables))
    return parts

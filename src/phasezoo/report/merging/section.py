"""The parts of the report's section on merging, each where the results hold what it needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import xarray as xr

from phasezoo.report.arms import CORRECTED
from phasezoo.report.intervals import means_over
from phasezoo.report.merging import across, beside, calibration, over_epochs, paths, widths
from phasezoo.report.merging.entries import labels_of, name_of
from phasezoo.report.merging.measures import (
    ARM,
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


JUDGED = (
    "The calibration error is the mean distance of accuracy from confidence over bins of equal "
    "width; a temperature, and the better model of a pair, are chosen on one half of the test set "
    "and judged on the other, both ways."
)
ARM_OF_OUTPUTS = (*ARM, "outputs")


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
    return [
        *_widths(results, found, panels),
        *_epochs(results, panels),
        *_beside(results),
        *_soups(results),
        *_phases(results),
    ]


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
        figures.append(
            (drawn, f"{title}. {_conditions(found)} {chance([means])} Bands: intervals.")
        )
    says = (
        "Checkpoints of the same epoch are aligned and merged anew at each epoch: at which of them "
        "models of different seeds come to lie in one valley, if they do. Models that have learned "
        "nothing yet all have the loss of chance, and so a low barrier."
    )
    table = over_epochs.epoch_table(means, panel)
    yield Part("epochs", "Barrier against epoch", says, figures, folded=[table])


def _beside(results: ZooResults) -> Iterator[Part]:
    """Midpoints of pairs beside their baselines, and the way from end to end."""
    data, loss = results.at_epoch("merging"), results.judged.loss
    if not beside.PAIRS.there(data):
        return
    seen = results.spec["training"].get("seen")
    title = "Models of different data made one" if seen else "Midpoints beside models alone"
    figures = []
    for place, (correction, figure) in enumerate(paths.path_figures(data, loss)):
        name = f"From one model to the other, {CORRECTED[correction]}"
        drawn = picture(f"{results.name}-merging-paths-{place}", figure, f"{name}; levels: models.")
        figures.append((drawn, f"{name}. {_conditions(data)} Bands are intervals of 95 %."))
    chances = chance([means_over(data[f"{beside.PAIRS.merge}_error"], ARM_OF_OUTPUTS)])
    says = f"{_seen(seen)} {JUDGED} {chances}"
    yield Part("beside", title, says, figures, beside.beside_tables(data, beside.PAIRS, loss))


def _seen(seen: Mapping[str, Any] | None) -> str:
    """What the models of a pair saw of the training set."""
    match seen and seen["by"]:
        case "labels":
            share = 100 * seen["majority"]  # type: ignore[index]
            return (
                f"The first model of a pair saw {share:g} % of the samples of the later half of "
                f"the classes and {100 - share:g} % of the earlier half, the second all others. "
                "Losses and errors of training are those of the whole training set."
            )
        case "chance":
            share = 100 * seen["share"]  # type: ignore[index]
            return f"Every model saw {share:g} % of the training set, drawn by chance."
        case _:
            return "All models saw the whole training set."


def _soups(results: ZooResults) -> Iterator[Part]:
    """Means of all seeds of a block beside their baselines, and how far they can be trusted."""
    data, loss = results.at_epoch("merging"), results.judged.loss
    if not beside.BLOCKS.there(data):
        return
    figures = []
    if calibration.has_curves(data):
        for correction, figure in calibration.reliability_figures(data):
            name = f"Uniform soups of the seeds of a block, {CORRECTED[correction]}"
            says = f"{name}: accuracy against confidence; the legends have the calibration errors."
            drawn = picture(f"{results.name}-merging-reliability-{correction}", figure, says)
            figures.append((drawn, f"{name}: share that is right against confidence, on the test "
                            "set; on the diagonal confidence can be trusted. Bins with fewer than "
                            f"{calibration.FEWEST:g} samples are left out. After each name: expected "
                            "calibration error."))  # fmt: skip
    sizes = dict.fromkeys(len(str(label).split("+")) for label in data["block"].values)
    says = f"Soups of {' or '.join(map(str, sizes))} seeds beside what they are made of. {JUDGED}"
    tables = beside.beside_tables(data, beside.BLOCKS, loss)
    yield Part("soups", "Calibration of many models made one", says, figures, tables)


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

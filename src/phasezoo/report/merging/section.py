"""The parts of the report's section on merging, each where the results hold what it needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import xarray as xr

from phasezoo.report.arms import CORRECTED
from phasezoo.report.intervals import means_over
from phasezoo.report.merging import across, beside, calibration, over_epochs, paths, widths
from phasezoo.report.merging.entries import name_of
from phasezoo.report.merging.measures import (
    ARM,
    BARRIERS,
    TRAIN,
    barriers,
    epochs_of,
    in_unit,
    measured,
)
from phasezoo.report.merging.part import Part
from phasezoo.report.merging.per_phase import phase_tables
from phasezoo.report.merging.words import JUDGED, chance, conditions, merged_of, seen_by
from phasezoo.report.panels import Panel
from phasezoo.report.pictures import picture
from phasezoo.report.results import ZooResults
from phasezoo.report.words import NOUNS
from phasezoo.vocabulary import LOAD, PAIR

LEVELS = (
    "Bands are intervals of 95 %; lines without markers are means of what is beside the merges."
)
RELIABILITY = (
    "share that is right against confidence, on the test set; on the diagonal confidence can be "
    f"trusted. Bins with fewer than {calibration.FEWEST:g} samples are left out. After each name: "
    "expected calibration error."
)
ARM_OF_OUTPUTS = (*ARM, "outputs")


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
        f"{title} at epoch {results.epoch_of('merging')}. {conditions(found)} "
        f"{chance(list(means.values()))}"
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
        figures.append((drawn, f"{title}. {conditions(found)} {chance([means])} Bands: intervals."))
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
        figures.append((drawn, f"{name}. {conditions(data)} {LEVELS}"))
    chances = chance([means_over(data[f"{beside.PAIRS.merge}_error"], ARM_OF_OUTPUTS)])
    says = f"{seen_by(seen)} {JUDGED} {chances}"
    yield Part("beside", title, says, figures, beside.beside_tables(data, beside.PAIRS, loss))


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
            figures.append((drawn, f"{name}: {RELIABILITY}"))
    says = f"Soups of {merged_of(data, results.spec)} beside what they are made of. {JUDGED}"
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
            "Zoos of one architecture and data set at the loads that two of them share. How they "
            "were trained, and over which temperatures means go, stands in the last table."
        )
        tables = across.across_tables(of, means, panel)
        parts.append(Part(f"across-{place}", title, says, [(drawn, caption)], tables))
    return parts

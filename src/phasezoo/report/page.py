"""One self-contained HTML page over some zoos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from phasezoo.report import curves, explanations, figures, panels, predictions, trust
from phasezoo.report.arms import arms_tables
from phasezoo.report.counts import best_cell, covered, measured, status, unconverged
from phasezoo.report.merging.section import across_parts, merging_parts
from phasezoo.report.phase_map import phase_map
from phasezoo.report.pictures import Picture, picture
from phasezoo.report.regions import RegionResults, region_view
from phasezoo.report.results import ZooResults
from phasezoo.report.summary import per_load, per_phase
from phasezoo.report.tables import Table, flattened, ranges, table
from phasezoo.report.uses import shown_of, told_of
from phasezoo.report.words import NOUNS
from phasezoo.vocabulary import LOAD, SEED, TEMPERATURE

__all__ = ["ZooResults", "page"]

TEMPLATE = "page.html.jinja"


def page(zoos: Sequence[ZooResults], regions: Sequence[RegionResults] = ()) -> str:
    """The report: figures and styles lie in the page, which needs no network.

    The same results give the same text.
    """
    environment = Environment(
        loader=PackageLoader("phasezoo", "report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    template = environment.get_template(TEMPLATE)
    return template.render(
        zoos=[_view(results) for results in zoos],
        across=across_parts(zoos),
        regions=[region_view(results) for results in regions],
    )


def _view(results: ZooResults) -> dict[str, Any]:
    """What the template asks for."""
    return {
        "results": results,
        "axes": {axis: results.phase[axis] for axis in (LOAD, TEMPERATURE)},
        "seeds": int(results.metrics.sizes.get(SEED, 0)),
        "status": status(results),
        "best": best_cell(results, panels.TEST_ERROR),
        **_trust(results),
        "measured": [
            m
            for g, shown in (*_shown(results).items(), ("transfer", shown_of(results)))
            if shown
            for m in measured(shown, results.at_epoch(g))
        ],
        "unconverged": unconverged(results),
        "epochs": {group: results.epoch_of(group) for group in results.groups},
        "pictures": _pictures(results),
        "tables": _tables(results),
        "merged": merging_parts(results),
        "predictions": _predictions(results),
        "explained": _explained(results),
        "uses": told_of(results),
        "spec": list(flattened(results.spec)),
    }


def _trust(results: ZooResults) -> dict[str, Any]:
    """What the template asks for about the labels and their doubt."""
    labelling, found = results.labelling, results.coverage
    return {
        "noun": NOUNS[labelling.criteria.scheme],
        "covered": covered(results),
        "thresholds": trust.thresholds(labelling),
        "lacking": trust.lacking(found, labelling),
        "changes": trust.changes(found, labelling.scheme),
        "most_moving": trust.most_moving(found),
        "likenesses": trust.likenesses(labelling.scheme),
    }


def _predictions(results: ZooResults) -> dict[str, Any]:
    """What the template asks for about learning from weights; nothing where there is none."""
    learning = results.learning
    if learning is None:
        return {}
    return {
        "models": predictions.told(learning),
        "folds": results.spec["learning"]["folds"],
        "left_out": learning["left_out"].values[-1],
        "titles": list(predictions.SCORES.values()),
        "lines": predictions.score_lines(learning),
    }


def _explained(results: ZooResults) -> dict[str, Any]:
    """What the template asks for about the variance that phases explain."""
    if results.explained is None or not explanations.tells(results.explained):
        return {}
    titles = [title for title, _ in explanations.COLUMNS]
    told = results.explained
    least = explanations.least_chance(told)
    return {"titles": titles, "lines": explanations.lines(told), "least": least}


def _pictures(results: ZooResults) -> dict[str, Picture]:
    """Every figure of a zoo."""
    phase, noun = results.phase, NOUNS[results.labelling.criteria.scheme]
    learning = curves.learning_curves(results)
    drawn = {
        "map": _picture(results, "map", phase_map(results), _says_map(results)),
        "learning": _picture(results, "learning", learning, f"Errors over epochs, per {noun}."),
    }
    if results.learning is not None:
        told = predictions.prediction_figure(results, results.learning)
        says = "Predictions over what is true; the table below has their scores."
        drawn["predictions"] = _picture(results, "predictions", told, says)
    if results.explained is not None and explanations.tells(results.explained):
        shares = explanations.explained_figure(results.explained)
        says = f"What load, temperature and {noun} explain; the table below has the numbers."
        drawn["explained"] = _picture(results, "explained", shares, says)
    for group, shown in _shown(results).items():
        data = results.at_epoch(group)
        over_grid = figures.panel_figure(shown, data, phase)
        drawn[group] = _picture(
            results, group, over_grid, f"Over the cells: {ranges(shown, data)}."
        )
        if group != "metrics":
            name, says = f"{group}-effects", f"Means per {noun}; the table below has the numbers."
            drawn[name] = _picture(results, name, curves.effects(shown, data, phase), says)
    return drawn | _pictures_of_uses(results)


def _pictures_of_uses(results: ZooResults) -> dict[str, Picture]:
    """Figures of what becomes of the models when they are used; none where nothing is asked."""
    if not (shown := shown_of(results)):
        return {}
    data, says = results.at_epoch("transfer"), "The tables below have the numbers."
    over_grid = figures.panel_figure(shown, data, results.phase)
    effects = curves.effects(shown, data, results.phase)
    return {
        "uses": _picture(results, "uses", over_grid, f"Over the cells: {ranges(shown, data)}."),
        "uses-effects": _picture(results, "uses-effects", effects, says),
    }


def _says_map(results: ZooResults) -> str:
    found = [c for c in covered(results) if c.cells]
    counts = ", ".join(f"{c.title} in {c.cells} ({c.certain} certain)" for c in found)
    noun = NOUNS[results.labelling.criteria.scheme]
    return f"Cells per {noun}: {counts}. {results.coverage.near_border} cells are near a border."


def _picture(results: ZooResults, name: str, figure: Figure, says: str) -> Picture:
    return picture(f"{results.name}-{name}", figure, says)


def _tables(results: ZooResults) -> dict[str, Table]:
    """Every table of means of a zoo."""
    noun = NOUNS[results.labelling.criteria.scheme]
    by_phase = partial(per_phase, phase=results.phase)
    load = results.phase[LOAD].attrs.get("long_name", LOAD)
    made = {
        group: table(f"{group.capitalize()} per {noun}", noun, shown, data, by_phase)
        for group, shown in _shown(results).items()
        for data in [results.at_epoch(group)]
    }
    if "merging" in results.groups:
        data = results.at_epoch("merging")
        shown = _shown(results)["merging"]
        made["merging-load"] = table(f"Merging per {load}", load, shown, data, per_load)
        made |= arms_tables(data, results.judged.loss)
    return made


def _shown(results: ZooResults) -> dict[str, list[panels.Panel]]:
    """The panels of every group, without those made from metrics that the zoo has not."""
    measured, loss = results.spec.get("metrics", {}), results.judged.loss
    return {
        group: [
            replace(p, unit=loss) if p.unit == panels.LOSS else p.shown(results.at_epoch(group))
            for p in _SHOWN[group]
            if not p.needs or measured.get(p.needs, True)
        ]
        for group in results.groups
    }


_SHOWN = {"metrics": panels.METRICS, "merging": panels.MERGING, "transfer": panels.TRANSFER}

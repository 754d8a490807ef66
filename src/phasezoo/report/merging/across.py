"""Merging in zoos that differ in how they were trained, at the loads that they share."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import xarray as xr
from matplotlib.figure import Figure

from phasezoo.report.canvas import WIDTH, styled
from phasezoo.report.colours import ZOOS
from phasezoo.report.intervals import means_over
from phasezoo.report.merging.axes import draw_line, keys, load_axis, value_axis
from phasezoo.report.merging.entries import basis, entry, labels_of, name_of, titled
from phasezoo.report.merging.measures import LEAST, TRAIN
from phasezoo.report.panels import Panel
from phasezoo.report.results import ZooResults
from phasezoo.report.tables import NOTHING, Entry, Table
from phasezoo.vocabulary import LOAD, PAIR, TEMPERATURE

SIDES = {"barrier_naive": "as they are", "barrier_aligned": "weight matching"}


@dataclass(frozen=True)
class Kin:
    """Zoos of one architecture and data set whose models see alike, two of which share a load.

    Attributes:
        title: what they have in common.
        zoos: in the order of the page.
        loads: values that at least two of them have, in their order.
    """

    title: str
    zoos: list[ZooResults]
    loads: xr.DataArray


def kin(zoos: Sequence[ZooResults]) -> list[Kin]:
    """The zoos with merging whose barriers can be compared."""
    with_pairs = [zoo for zoo in zoos if _barriers(zoo) is not None]
    found = []
    for kind in dict.fromkeys(_kind(zoo) for zoo in with_pairs):
        of_kind = [zoo for zoo in with_pairs if _kind(zoo) == kind]
        counts = Counter(load for zoo in of_kind for load in zoo.phase[LOAD].values.tolist())
        shared = sorted(load for load, count in counts.items() if count > 1)
        members = [zoo for zoo in of_kind if set(shared) & set(zoo.phase[LOAD].values.tolist())]
        if len(members) > 1:
            spec, axis = members[0].spec, members[0].phase[LOAD]
            loads = xr.DataArray(shared, {LOAD: shared}, [LOAD], name=LOAD, attrs=axis.attrs)
            title = f"{spec['architecture']['name']} on {spec['dataset']}"
            found.append(Kin(title, members, loads))
    return found


def _kind(zoo: ZooResults) -> str:
    spec, axis = zoo.spec, zoo.phase[LOAD]
    seen = spec["training"].get("seen")
    return json.dumps([spec["architecture"], spec["dataset"], seen, axis.attrs], sort_keys=True)


def _barriers(zoo: ZooResults) -> xr.Dataset | None:
    """Barriers of the pairs of a zoo, over `side`; None where there is none."""
    if zoo.merging is None or PAIR not in zoo.merging.dims:
        return None
    data = zoo.at_epoch("merging")
    found = [data[name].astype("float64") for name in SIDES if PAIR in data[name].dims]
    if len(found) < len(SIDES) or not any(of.notnull().any() for of in found):
        return None
    return xr.concat(found, xr.Variable("side", list(SIDES))).to_dataset(name=TRAIN)


def barriers_across(of: Kin) -> dict[str, xr.Dataset]:
    """Means over (side, load) of the barrier of every zoo, missing where it lacks a load."""
    found = {}
    for zoo in of.zoos:
        barriers = _barriers(zoo)
        if barriers is not None:
            there = barriers[TRAIN].sel({TEMPERATURE: _temperatures(of, zoo)})
            there = there.reindex({LOAD: of.loads.values}).assign_coords(_axis(of))
            found[zoo.name] = means_over(there, ["side", LOAD], LEAST[TRAIN])
    return found


def _temperatures(of: Kin, zoo: ZooResults) -> list[float]:
    """Those of all zoos with its kind of temperature; all of its own where they share none."""
    axis = zoo.phase[TEMPERATURE]
    alike = [o.phase[TEMPERATURE] for o in of.zoos if o.phase[TEMPERATURE].attrs == axis.attrs]
    shared = set[float].intersection(*(set(other.values.tolist()) for other in alike))
    return [value for value in axis.values.tolist() if value in shared or not shared]


def _axis(of: Kin) -> dict[str, xr.Variable]:
    return {LOAD: xr.Variable(LOAD, of.loads.values, of.loads.attrs)}


def across_figure(of: Kin, means: Mapping[str, xr.Dataset], panel: Panel) -> Figure:
    """Naive and aligned barrier against the load, a line per zoo."""
    styles = {name: ZOOS[place % len(ZOOS)] for place, name in enumerate(means)}
    with styled():
        figure = Figure(figsize=(WIDTH, 3.9), layout="constrained")
        both = figure.subplots(1, len(SIDES), sharey=True)
        for axes, (side, title) in zip(both, SIDES.items(), strict=True):
            load_axis(axes, of.loads)
            for place, (name, found) in enumerate(means.items()):
                shown = found.sel(side=side)
                draw_line(axes, styles[name], (place, len(means)), LOAD, shown)
            value_axis(axes, panel, xr.concat(means.values(), "zoo"))
            axes.set_title(f"{panel.title}, {title}")
            axes.set_ylabel(panel.unit)
        figure.legend(handles=keys(styles), loc="outside lower center", ncols=4)
    return figure


def across_tables(of: Kin, means: Mapping[str, xr.Dataset], panel: Panel) -> list[Table]:
    """Barriers, a line per zoo and side, a column per load; and how the zoos were trained."""
    heads = [(f"{name_of(of.loads)} {label}", "", "") for label in labels_of(of.loads)]
    lines = [
        (
            f"{name}, {title}",
            [_entry(found.sel({"side": side, LOAD: v}), panel) for v in of.loads.values],
        )
        for side, title in SIDES.items()
        for name, found in means.items()
    ]
    return [Table(titled(panel), "zoo, aligned", heads, lines), _told(of)]


def _entry(of: xr.Dataset, panel: Panel) -> Entry:
    found = entry(of, panel, 0)
    return replace(found, basis=basis(of) if int(of["values"]) else "")


def _told(of: Kin) -> Table:
    heads = ["optimiser", "learning rate", "weight decay", "temperatures", "epoch"]
    lines = [(zoo.name, [Entry(text, "", "") for text in _training(of, zoo)]) for zoo in of.zoos]
    return Table("How they were trained", "zoo", [(head, "", "") for head in heads], lines)


def _training(of: Kin, zoo: ZooResults) -> list[str]:
    training, axis = zoo.spec["training"], zoo.phase[TEMPERATURE]
    optimiser, set_by = training["optimiser"], axis.attrs.get("hyperparameter")
    told = [
        name_of(axis) if key == set_by else _said(optimiser.get(key))
        for key in ("learning_rate", "weight_decay")
    ]
    temperatures = (
        f"{name_of(axis)} {', '.join(labels_of(axis.sel({TEMPERATURE: _temperatures(of, zoo)})))}"
    )
    return [str(optimiser["name"]), *told, temperatures, str(zoo.epoch_of("merging"))]


def _said(value: float | None) -> str:
    return NOTHING if value is None else f"{value:g}"

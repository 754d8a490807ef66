"""What the command line prints of the declared zoos: what they are, and what they cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from phasezoo.cost import Cost, Size, cost_of, cost_of_regions, together
from phasezoo.data.inputs import Inputs, inputs_of, needs_download
from phasezoo.models.shapes import ArchitectureError
from phasezoo.models.size import size_of, sizes_of
from phasezoo.plan import Plan
from phasezoo.spec import Study
from phasezoo.spec.axis import Axis
from phasezoo.spec.region_fit import tuned_architecture
from phasezoo.vocabulary import Number

UNKNOWN = "?"
LISTED = 4  # values of an axis, from which on its ends stand for it
PREFIXES = ("", "k", "M", "G", "T", "P")
HEADINGS = ("zoo", "parameters", "models", "checkpoints", "jobs", "files", "weights")


def zoo_table(study: Study) -> None:
    """Print the declared zoos as a table."""
    table = Table(title="Zoos", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("zoo", "architecture", "load", "temperature"):
        table.add_column(heading, no_wrap=heading == "zoo")
    for heading in ("seeds", "models", "parameters"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("data", no_wrap=True)
    known = _Known(study)
    for name, zoo in study.zoos.items():
        table.add_row(
            _starred(name, name in study.run),
            zoo.architecture.name,
            _axis(zoo.load),
            _axis(zoo.temperature),
            str(len(zoo.all_seeds)),
            str(zoo.models),
            _span(known.ends(name)),
            _starred(zoo.dataset, needs_download(study.data[zoo.dataset])),
        )
    console = Console(width=None if Console().is_terminal else 160, highlight=False)
    console.print(table)
    console.print("* after a zoo: it is in the run; after data: a download is needed")


def cost_table(study: Study) -> str:
    """What the declared zoos cost, and all of them together, as a Markdown table."""
    plan, known = Plan(study), _Known(study)
    costs = [cost_of(plan, name, known.all(name)) for name in study.zoos]
    rows = [_cost_row(c, _span(known.ends(c.zoo))) for c in costs]
    return _markdown([*rows, _cost_row(together(plan, costs), "")])


def region_cost_table(study: Study) -> str:
    """What the declared region studies cost beside the zoos they start from; empty without any."""
    plan, rows = Plan(study), []
    for name, regions in study.regions.items():
        inputs = {dataset: inputs_of(study.data[dataset]) for dataset in regions.datasets}
        architecture = tuned_architecture(regions, study.zoos)
        sizes = {d: size_of(architecture, given) for d, given in inputs.items() if given}
        known = sizes if len(sizes) == len(inputs) else None
        rows.append(_cost_row(cost_of_regions(plan, name, known), _span(known)))
    return _markdown(rows, ("region study", *HEADINGS[1:])) if rows else ""


class _Known:
    """Sizes of the models of a study; inputs of a data set are looked up once."""

    def __init__(self, study: Study) -> None:
        self.zoos = study.zoos
        used = {zoo.dataset for zoo in study.zoos.values()}
        self.inputs: dict[str, Inputs | None] = {n: inputs_of(study.data[n]) for n in used}

    def ends(self, name: str) -> dict[Number, Size] | None:
        """At the smallest and the largest value of the load axis."""
        values = self.zoos[name].load.all_values
        return self._at(name, (values[0], values[-1]))

    def all(self, name: str) -> dict[Number, Size] | None:
        """At every value."""
        return self._at(name, self.zoos[name].load.all_values)

    def _at(self, name: str, loads: Iterable[Number]) -> dict[Number, Size] | None:
        zoo = self.zoos[name]
        inputs = self.inputs[zoo.dataset]
        try:
            return sizes_of(zoo, inputs, loads) if inputs else None
        except ArchitectureError as problem:
            raise ArchitectureError(f"zoos.{name}: {problem}") from None


def _starred(name: str, star: bool) -> str:
    return f"{name} *" if star else name


def _axis(axis: Axis) -> str:
    """``width 2 4 8``, or ``width 2 to 256 (8)`` where there are more values."""
    name = axis.meaning.name.replace("_", " ")
    labels = [axis.meaning.label(value) for value in axis.all_values]
    if len(labels) > LISTED:
        return f"{name} {labels[0]} to {labels[-1]} ({len(labels)})"
    return f"{name} {' '.join(labels)}"


def _span(sizes: Mapping[Any, Size] | None) -> str:
    """The parameters of the smallest and the largest models."""
    if sizes is None:
        return UNKNOWN
    found = sorted({size.parameters for size in sizes.values()})
    return " to ".join(
        f"{count:,}" for count in (found if len(found) == 1 else found[:: len(found) - 1])
    )


def _cost_row(cost: Cost, parameters: str) -> tuple[str, ...]:
    name, *counts, size = astuple(cost)
    written = (UNKNOWN if count is None else f"{count:,}" for count in counts)
    return name, parameters, *written, UNKNOWN if size is None else _size(size)


def _size(count: int) -> str:
    """Bytes in decimal units with three digits: ``1.58 TB``."""
    power = min((len(str(count)) - 1) // 3, len(PREFIXES) - 1)
    return f"{count / 1000**power:.3g} {PREFIXES[power]}B"


def _markdown(rows: list[tuple[str, ...]], headings: tuple[str, ...] = HEADINGS) -> str:
    """A table, aligned so that it is read as well as it is rendered."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]

    def line(cells: Iterable[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        return (
            "| " + " | ".join([first[0].ljust(first[1]), *(c.rjust(w) for c, w in others)]) + " |"
        )

    rule = "|".join(["", "-" * (widths[0] + 2), *("-" * (w + 1) + ":" for w in widths[1:]), ""])
    return "\n".join([line(headings), rule, *map(line, rows)])

"""The rows of a published summary table that are read: those of one zoo, each checkpoint once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isclose

import numpy as np

from phasezoo.store.csv_table import Table, number, refuse
from phasezoo.store.summary_columns import COLUMNS, ROUNDING, SETTINGS, TRIALS
from phasezoo.vocabulary import HYPERPARAMETERS, TEMPERATURE, Number

Label = tuple[Number, ...]  # load, temperature, seed, epoch
Pick = str | float
Picks = Mapping[str, Pick | Sequence[Pick]]


@dataclass(frozen=True)
class Axes:
    """Which column has the labels of each axis, and which hyperparameter is the temperature."""

    columns: Mapping[str, str]
    temperature: str

    def named(self, label: Label) -> str:
        """A label, or that of a model, in words."""
        named = zip(self.columns.values(), label, strict=False)
        return ", ".join(f"{column} {value}" for column, value in named)


@dataclass(frozen=True)
class Row:
    """A row: the checkpoint that it is about, its line, its cells by column."""

    label: Label
    line: int
    cells: dict[str, str]


@dataclass(frozen=True)
class Chosen:
    """The table cut down to what is read, the checkpoint of every row, and what was noticed."""

    table: Table
    labels: list[Label]
    notes: list[str]


def chosen_rows(table: Table, axes: Axes, picks: Picks) -> Chosen:
    """The rows that are picked, every checkpoint once.

    Rows about one checkpoint whose numbers agree are one; an empty cell agrees with any number.

    Args:
        table: of text.
        axes: where its labels stand.
        picks: value, or values, by column. Of a column of `SETTINGS`, how models were trained, all
            other rows are passed over; of one of `TRIALS`, other rows about the same models.

    Raises:
        TableError: there is no such thing to pick; a label is no number; or rows about one
            checkpoint differ, with the zoos or trials to pick from.
    """
    free = [
        c for c in (*SETTINGS, *TRIALS) if c in table.columns and c not in axes.columns.values()
    ]
    wanted = {c: listed(values) for c, values in picks.items()}
    refuse(f"{table.path}: {problem}" for problem in _strange(table, free, wanted))
    rows = _labelled(table, axes)
    for column, values in wanted.items():
        picked = [row for row in rows if _among(row.cells[column], values)]
        if column in TRIALS:
            models = {row.label[:-1] for row in picked}
            of_others = (row for row in rows if row.label[:-1] not in models)
            picked = sorted([*picked, *of_others], key=lambda row: row.line)
        rows = picked
    once, notes = _once(table, axes, free, rows)
    kept = replace(table, rows=tuple((row.line, row.cells) for row in once))
    return Chosen(kept, [row.label for row in once], notes)


def _strange(
    table: Table, free: Sequence[str], wanted: Mapping[str, Sequence[Pick]]
) -> Iterator[str]:
    """What is picked that there is not."""
    for column, values in wanted.items():
        if column not in free:
            yield f"pick: got {column!r}, allowed are {', '.join(free) or 'no columns'}"
            continue
        there = dict.fromkeys(cells[column] for _, cells in table.rows)
        some = ", ".join([*there][:_SHOWN]) + (", ..." if len(there) > _SHOWN else "")
        for value in values:
            if not any(_among(text, [value]) for text in there):
                yield f"pick: got {column} {value}, allowed are {some}"


def _labelled(table: Table, axes: Axes) -> list[Row]:
    problems, rows = [], []
    for line, cells in table.rows:
        found = {c: _label(cells[c], axis, axes.temperature) for axis, c in axes.columns.items()}
        bad = [column for column, value in found.items() if value is None]
        problems += [f"{table.at(line)}: {c}: got {cells[c]!r}, allowed is a number" for c in bad]
        label = tuple(value for value in found.values() if value is not None)
        rows.append(Row(label, line, cells))
    refuse(problems)
    return rows


def _label(text: str, axis: str, temperature: str) -> Number | None:
    """The label that a cell holds; None where it holds none that the axis can have."""
    value = number(text)
    if value is None or not np.isfinite(value) or value < 0:
        return None
    if axis == TEMPERATURE and not HYPERPARAMETERS[temperature].whole:
        return value
    return int(value) if value == int(value) else None


def _once(
    table: Table, axes: Axes, free: Sequence[str], rows: Sequence[Row]
) -> tuple[list[Row], list[str]]:
    """The rows with those that agree made one, and a note if there are some."""
    settings = [column for column in free if column in SETTINGS]
    kept: dict[Label, Row] = {}
    differing = []
    for row in rows:
        first = kept.setdefault(row.label, row)
        if first is not row and _agree(first, row, settings):
            filled = {c: text or row.cells[c] for c, text in first.cells.items()}
            kept[row.label] = replace(first, cells=filled)
        elif first is not row:
            differing.append((first, row))
    apart = [c for c in settings if any(_differ(a, b, [c]) for a, b in differing)]
    zoos = [_zoos(table, apart, rows)] if apart else []
    same = [(a, b) for a, b in differing if not _differ(a, b, apart)]
    refuse([*zoos, *_trials(table, axes, same)])
    more = len(rows) - len(kept)
    note = f"{more} rows repeat another one about the same model and epoch, and were passed over"
    return [*kept.values()], [note] if more else []


def _agree(first: Row, second: Row, settings: Sequence[str]) -> bool:
    """Whether two rows of one checkpoint are of one zoo and have the same numbers."""
    columns = [c for c in COLUMNS if first.cells.get(c) and second.cells[c]]
    return not _differ(first, second, [*settings, *columns])


def _differ(first: Row, second: Row, columns: Sequence[str]) -> bool:
    return not all(_equal(first.cells[c], second.cells[c]) for c in columns)


def _equal(first: str, second: str) -> bool:
    one, other = number(first), number(second)
    if one is None or other is None:
        return first == second
    return first == second or isclose(one, other, rel_tol=ROUNDING)


def _zoos(table: Table, apart: Sequence[str], rows: Sequence[Row]) -> str:
    """The zoos of a table by the settings that tell them apart, with their models."""
    counts = Counter(
        values
        for values, _ in {(tuple(row.cells[c] for c in apart), row.label[:-1]) for row in rows}
    )
    zoos = [
        f"{', '.join(f'{c}={v}' for c, v in zip(apart, values, strict=True))} ({n} models)"
        for values, n in sorted(counts.items())
    ]
    return f"{table.path}: got several zoos, allowed is one; pick {' or '.join(zoos)}"


def _trials(table: Table, axes: Axes, pairs: Sequence[tuple[Row, Row]]) -> Iterator[str]:
    """The first rows about each model that differ, and what tells them apart."""
    firsts = {second.label[:-1]: (first, second) for first, second in reversed(pairs)}
    for first, second in reversed(firsts.values()):
        names = [c for c in TRIALS if c in first.cells and first.cells[c] != second.cells[c]]
        choice = [f"{names[0]}={row.cells[names[0]]}" for row in (first, second)] if names else []
        how = f"pick {' or '.join(choice)}" if choice else "allowed is one row per model and epoch"
        there = f"is in line {first.line} already, with other numbers"
        yield f"{table.at(second.line)}: {axes.named(second.label)} {there}; {how}"


def listed(values: Pick | Sequence[Pick]) -> list[Pick]:
    """What is picked of a column, as a list."""
    return [values] if isinstance(values, str | float | int) else [*values]


def _among(text: str, values: Sequence[Pick]) -> bool:
    """Whether a cell holds one of some values: ``5e-4`` and ``0.0005`` are the same."""
    found = number(text)
    return any(
        text == str(value) or (found is not None and found == number(str(value)))
        for value in values
    )


_SHOWN = 5  # values of a column of which one is picked

"""The table of models trained elsewhere: which file is which checkpoint of a declared zoo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from phasezoo.spec.axis import Axis
from phasezoo.spec.zoo import Zoo
from phasezoo.store.csv_table import Table, TableError, among, read_table
from phasezoo.vocabulary import EPOCH, LOAD, SEED, TEMPERATURE, Number

FILE = "file"


class Label(NamedTuple):
    """Which checkpoint of a zoo."""

    load: Number
    temperature: Number
    seed: int
    epoch: int


@dataclass(frozen=True)
class Listing:
    """What a table lists.

    Attributes:
        files: paths relative to the folder, by checkpoint.
        problems: of all rows; a row with one is not in `files`.
        ignored: columns that say nothing here.
    """

    files: dict[Label, str]
    problems: list[str]
    ignored: tuple[str, ...]


def read_model_table(path: Path, folder: Path, zoo: Zoo) -> Listing:
    """Read the table of a folder: file, load, temperature, seed, epoch.

    Load and temperature may go by the names of their hyperparameters. Other columns are ignored.

    Args:
        path: of the CSV file.
        folder: where the files lie; what is outside of it is refused.
        zoo: whose imported blocks and saved epochs are allowed.

    Raises:
        TableError: it cannot be read, or a column is missing.
    """
    table = read_table(path)
    columns = _columns(table, zoo)
    listing = Listing({}, [], tuple(c for c in table.columns if c not in columns.values()))
    lines: dict[Label, int] = {}
    for line, cells in table.rows:
        found = {what: cells[column] for what, column in columns.items()}
        file = found.pop(FILE)
        label, problems = _label(found, columns, _choices(zoo))
        problems += _problem_of_file(folder, file)
        if label and (first := lines.setdefault(label, line)) != line:
            problems.append(f"{_named(label, columns)} is in line {first} already, allowed is once")
        listing.problems.extend(f"{table.at(line)}: {problem}" for problem in problems)
        if label and not problems:
            listing.files[label] = file
    return listing


def _label(
    texts: Mapping[str, str], columns: Mapping[str, str], choices: Mapping[str, Sequence[Number]]
) -> tuple[Label | None, list[str]]:
    """The checkpoint that a row is about, or why there is none such."""
    values = {axis: among(text, choices[axis]) for axis, text in texts.items()}
    problems = [
        f"{columns[axis]}: got {texts[axis]!r}, allowed {_allowed(axis, choices)}"
        for axis, value in values.items()
        if value is None
    ]
    load, temperature, seed, epoch = (values[axis] for axis in choices)
    if load is None or temperature is None or seed is None or epoch is None:
        return None, problems
    return Label(load, temperature, int(seed), int(epoch)), problems


def _choices(zoo: Zoo) -> dict[str, Sequence[Number]]:
    """The values that each axis may have, in the order of a `Label`."""
    return {
        LOAD: zoo.load.all_values,
        TEMPERATURE: zoo.temperature.all_values,
        SEED: [seed for block in zoo.imported for seed in block],
        EPOCH: zoo.training.saved_epochs,
    }


def _columns(table: Table, zoo: Zoo) -> dict[str, str]:
    """Under which name the table has each column."""
    names = {
        FILE: (FILE,),
        LOAD: _names(zoo.load),
        TEMPERATURE: _names(zoo.temperature),
        SEED: (SEED,),
        EPOCH: (EPOCH,),
    }
    found = {what: [n for n in known if n in table.columns] for what, known in names.items()}
    problems = [
        f"{table.path}: got {len(there)} columns called {' or '.join(names[what])}, allowed is one"
        for what, there in found.items()
        if len(there) != 1
    ]
    if problems:
        listed = ", ".join(table.columns) or "none"
        raise TableError("\n".join([*problems, f"{table.path}: its columns are: {listed}"]))
    return {what: there[0] for what, there in found.items()}


def _names(axis: Axis) -> tuple[str, str]:
    return axis.meaning.axis, axis.hyperparameter


def _allowed(axis: str, choices: Mapping[str, Sequence[Number]]) -> str:
    what = {SEED: "are the seeds of imported blocks", EPOCH: "are the saved epochs"}
    return f"{what.get(axis, 'are')} {', '.join(map(str, choices[axis]))}"


def _named(label: Label, columns: Mapping[str, str]) -> str:
    return ", ".join(f"{columns[axis]} {value}" for axis, value in label._asdict().items())


def _problem_of_file(folder: Path, name: str) -> list[str]:
    """Why a file cannot be taken; links count as what they point to."""
    if not name:
        return ["file: got nothing, allowed is a path in the folder"]
    try:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()):
            return [f"file: got {name!r}, allowed is a path inside of {folder}"]
        return [] if path.is_file() else [f"file: got {name!r}, and there is no such file"]
    except (OSError, ValueError, RuntimeError) as problem:  # NUL, too long, links in a circle
        return [f"file: got {name!r}, which is no path ({problem})"]

"""Tables that people hand in as CSV files, read as text."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from phasezoo.vocabulary import Number, PhasezooError

SHOWN = 20  # problems of one table; a wrong column would fill the screen


class TableError(PhasezooError):
    """A table cannot be used; one line per problem."""


@dataclass(frozen=True)
class Table:
    """A table of text: its columns, and of every row the line it ends on and its cells by column.

    Blank lines are no rows; space around a cell does not count.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[tuple[int, dict[str, str]], ...]

    def at(self, line: int) -> str:
        """How a line of the table is named in messages."""
        return f"{self.path}:{line}"


def read_table(path: Path) -> Table:
    """Read a CSV file with a head line, in UTF-8.

    Raises:
        TableError: it cannot be read, has a column twice, or rows of another length than its head.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if row]
    except OSError as problem:
        raise TableError(f"{path}: cannot be read ({problem.strerror})") from None
    except (UnicodeDecodeError, csv.Error) as problem:
        raise TableError(f"{path}: not a CSV file in UTF-8 ({problem})") from None
    head = tuple(lines[0][1]) if lines else ()
    rows = [(line, row) for line, row in lines[1:] if any(row)]
    if twice := sorted({column for column in head if head.count(column) > 1}):
        raise TableError(f"{path}: got the column {twice[0]!r} twice, allowed is once")
    refuse(
        f"{path}:{line}: got {len(row)} cells, allowed are {len(head)}, as in the head line"
        for line, row in rows
        if len(row) != len(head)
    )
    return Table(path, head, tuple((line, dict(zip(head, row, strict=True))) for line, row in rows))


def refuse(problems: Iterable[str]) -> None:
    """Raise if there are problems.

    Raises:
        TableError: the first `SHOWN` of them, and how many more there are.
    """
    found = list(dict.fromkeys(problems))
    if found:
        more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
        raise TableError("\n".join([*found[:SHOWN], *more]))


def number(text: str) -> float | None:
    """The number that a cell holds; None where it holds none."""
    try:
        return float(text)
    except ValueError:
        return None


def among(text: str, allowed: Sequence[Number]) -> Number | None:
    """The one of some values that a cell holds: ``16`` and ``16.0`` are the same; else None."""
    found = number(text)
    return next((value for value in allowed if value == found), None)

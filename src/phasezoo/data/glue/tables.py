"""Texts and labels out of the tables of GLUE, in the forms that their authors published."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from phasezoo.data.archive import ArchiveError, open_zip, readable, wrong
from phasezoo.data.glue.sets import TextSet
from phasezoo.spec.glue import Numbers

Row = Mapping[Any, str]  # by column: a name, or a place
_TABLE = "a table of columns that tabs divide, in UTF-8"


@dataclass(frozen=True)
class Labelled:
    """A text, or a pair of texts, and the number of its class."""

    texts: tuple[str, ...]
    label: int


@dataclass(frozen=True)
class Sides:
    """The training set, and the set for development, which is tested on."""

    train: list[Labelled]
    test: list[Labelled]


def read(about: TextSet, files: Mapping[str, Path], numbers: Numbers) -> Sides:
    """Both sides of a set, as many texts as its authors count.

    Raises:
        ArchiveError: a file is not what it is known to be.
    """
    found = _paraphrases(about, files, numbers) if not about.folder else _zipped(
        about, files[about.files[0].name], numbers
    )  # fmt: skip
    for side, got, wanted in (
        ("train", len(found.train), numbers.train),
        ("dev", len(found.test), numbers.test),
    ):
        if got != wanted:
            raise wrong(side, f"{got} texts with a label", f"the {wanted} that it is known to have")
    return found


def _zipped(about: TextSet, path: Path, numbers: Numbers) -> Sides:
    names = [f"{about.folder}/train.tsv", f"{about.folder}/{about.test}"]
    with open_zip(path, names) as archive:
        train, test = (
            list(_labelled(_rows(archive.open(name), name, about), name, about, numbers))
            for name in names
        )
    return Sides(train, test)


def _paraphrases(about: TextSet, files: Mapping[str, Path], numbers: Numbers) -> Sides:
    """The training file of MRPC, divided by the numbers of its pairs for development.

    It begins with a byte order mark.
    """
    table, chosen = (about.files[0].name, about.files[1].name)
    with files[chosen].open("rb") as file:
        tested = {tuple(row[:2]) for row in _table(file, chosen)}
    with files[table].open("rb") as file:
        rows = list(_rows(file, table, about))
    in_test = [(row.get("#1 ID", ""), row.get("#2 ID", "")) in tested for row in rows]
    train, test = (
        [row for row, of_test in zip(rows, in_test, strict=True) if of_test is side]
        for side in (False, True)
    )
    return Sides(
        list(_labelled(train, table, about, numbers)), list(_labelled(test, table, about, numbers))
    )


def _table(file: IO[bytes], name: str) -> Iterator[list[str]]:
    """Rows of columns. Quotes are text; a carriage return ends a line too."""
    with readable(name, _TABLE, (UnicodeDecodeError, csv.Error)):
        lines = io.TextIOWrapper(file, encoding="utf-8-sig")
        yield from csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


def _rows(file: IO[bytes], name: str, about: TextSet) -> Iterator[Row]:
    """Rows by the names of the header, or by their places where there is none."""
    rows = _table(file, name)
    if isinstance(about.label, int):
        for row in rows:
            yield dict(enumerate(row))
        return
    header = next(rows, [])
    missing = [column for column in (about.label, *about.texts) if column not in header]
    if missing:
        raise wrong(name, f"the columns {', '.join(header)}", f"a column {missing[0]}")
    for row in rows:
        yield dict(zip(header, row, strict=False))


def _labelled(
    rows: Iterable[Row], name: str, about: TextSet, numbers: Numbers
) -> Iterator[Labelled]:
    """The rows that are whole; a few of QQP are torn, and left out as others leave them out."""
    for row in rows:
        label = row.get(about.label)
        texts = tuple(row[column] for column in about.texts if column in row)
        if label and len(texts) == len(about.texts):
            yield Labelled(texts, _number(label, name, numbers))


def _number(label: str, name: str, numbers: Numbers) -> int:
    """The class of a label, which is its name or its number."""
    if label in numbers.classes:
        return numbers.classes.index(label)
    if label.isdecimal() and int(label) < len(numbers.classes):
        return int(label)
    allowed = f"{', '.join(numbers.classes)}, or their numbers"
    raise ArchiveError(f"{name}: got the label {label[:40]!r}; allowed: {allowed}")

"""Tables of the report as text for documents."""

from __future__ import annotations

from phasezoo.report.tables import Table


def markdown(table: Table) -> str:
    """A table in Markdown: means with their intervals; units stand with the names of columns."""
    heads = [
        table.corner,
        *(f"{title}, {unit}" if unit else title for title, unit, _ in table.columns),
    ]
    rows = [
        [name, *(" ".join(filter(None, (e.mean, e.interval, e.basis))) for e in entries)]
        for name, entries in table.lines
    ]
    rule = "|" + "---|" * len(heads)
    return "\n".join([_line(heads), rule, *map(_line, rows)])


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"

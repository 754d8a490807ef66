"""A part of what the report says of merging."""

from __future__ import annotations

from dataclasses import dataclass, field

from phasezoo.report.pictures import Picture
from phasezoo.report.tables import Table


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

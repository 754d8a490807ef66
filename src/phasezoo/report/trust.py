"""How far the labels can be trusted, in words: thresholds, what is lacking, what hangs on what."""

from __future__ import annotations

from dataclasses import dataclass

from phasezoo.phases.scheme import Scale, Scheme
from phasezoo.report.labelling import Coverage, Labelling
from phasezoo.report.words import WORDS


@dataclass(frozen=True)
class Threshold:
    """A threshold: in words, as the spec writes it, and how it was come by."""

    title: str
    words: str
    number: str
    how: str


@dataclass(frozen=True)
class Change:
    """What becomes of the labels when one threshold moves; `counts` in the order of the scheme."""

    title: str
    factor: str
    words: str
    changed: int
    counts: list[int]


def thresholds(labelling: Labelling) -> dict[str, Threshold]:
    """The thresholds by their metrics, in the order in which they are asked."""
    found = {name: labelling.thresholds[name] for name in labelling.scheme.metrics}
    return {
        name: Threshold(
            WORDS[name].title,
            WORDS[name].value(chosen.value),
            f"{chosen.value:.4g}",
            chosen.how,
        )
        for name, chosen in found.items()
    }


def lacking(coverage: Coverage, labelling: Labelling) -> list[str]:
    """A sentence for each label with too few certain cells: how many, and what to add."""
    needed = labelling.criteria.confident_cells
    shown = [p.title for p in labelling.scheme.labels if p.title in coverage.lacking]
    return [
        f"Too few certain cells of {title} ({coverage.certain[title]}, where {needed} are needed): "
        f"{coverage.lacking[title]}."
        for title in shown
    ]


def changes(coverage: Coverage, scheme: Scheme) -> list[Change]:
    """The table of sensitivity, first the labels as they are."""
    as_is = Change("as labelled", "", "", 0, _counts(coverage.per_phase, scheme))
    moved = [
        Change(
            WORDS[row.threshold].title,
            f"× {row.factor:g}",
            WORDS[row.threshold].value(row.value),
            row.changed,
            _counts(row.per_phase, scheme),
        )
        for row in coverage.sensitivity
    ]
    return [as_is, *moved]


def most_moving(coverage: Coverage) -> str:
    """One sentence on the threshold on which most labels hang."""
    rows = [row for row in coverage.sensitivity if row.changed]
    if not rows:
        return "None of these moves changes a label."
    most = max(rows, key=lambda row: row.changed)
    title = WORDS[most.threshold].title
    return (
        f"Most labels hang on the threshold of {title}: "
        f"× {most.factor:g} changes {most.changed} of {coverage.cells} cells."
    )


def likenesses(scheme: Scheme) -> list[str]:
    """Metrics whose threshold is moved by its distance from 1."""
    return [WORDS[d.metric].title for d in scheme.decisions if d.scale is Scale.LIKENESS]


def _counts(per_phase: dict[str, int], scheme: Scheme) -> list[int]:
    return [per_phase[label.title] for label in scheme.labels]

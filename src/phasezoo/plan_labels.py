"""Labels that stand for Snakemake's wildcards: single ones, and which are declared."""

from __future__ import annotations

import re
from collections.abc import Iterator

from phasezoo.spec import jobs
from phasezoo.spec.zoo import Zoo
from phasezoo.vocabulary import LOAD
from phasezoo.weights_plan import made_together, shares


class Labels:
    """Wildcards, as Snakemake would give them."""

    def __init__(self, **labels: str) -> None:
        self._labels = labels

    def __getattr__(self, name: str) -> str:
        return self._labels[name]


def trained_labels(zoo: Zoo, axis: str) -> Iterator[str]:
    """Labels along an axis in the paths of what training jobs make."""
    for share in shares(zoo.load if axis == LOAD else zoo.temperature):
        for block in zoo.seeds:
            yield from made_together(zoo, axis, block, share)


def block_labels(zoo: Zoo, family: str) -> list[str]:
    """Labels of the blocks, and pairs of blocks, that a family of a zoo is measured on."""
    return jobs.measured_blocks(zoo.seeds, zoo.pairs, family)


def any_of(labels: set[str]) -> str:
    """A regular expression of some texts; of nothing, one that nothing fits."""
    return "|".join(map(re.escape, sorted(labels))) or r"(?!)"

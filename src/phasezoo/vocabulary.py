"""The words of the project: axes, flags and hyperparameters, declared once.

Code, coordinates, file names and documents use these words and no synonyms.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

LOAD = "load"
TEMPERATURE = "temperature"
SEED = "seed"
PAIR = "pair"
EPOCH = "epoch"
FIRST_SEED = "first_seed"
SECOND_SEED = "second_seed"
COEFFICIENT = "beta"  # the hyperparameter that is the coefficient of an equation
SAMPLE = "sample"  # attribute of a variable: which samples it was measured on
RELATIVE_UP_TO = "relative_errors_up_to"  # attribute of mode connectivity that goes beyond 1

Number = int | float
Pairing = Literal["within", "disjoint", "all"]  # which pairs of seeds are compared


class PhasezooError(Exception):
    """Something a user can mend; its message is one line and says what, got and allowed."""


class Phase(IntEnum):
    """Label of a cell at an epoch: a phase (Yang et al. 2021; arXiv 2504.18072) or a regime."""

    MISSING = -1
    I = 1  # noqa: E741  the field's name for it
    II = 2
    III = 3
    IV_A = 4
    IV_B = 5
    UNDER_TRAINED = 11  # the regimes of scientific models, arXiv 2605.29153
    OVER_TRAINED = 12
    WELL_TRAINED = 13

    @property
    def title(self) -> str:
        """The label as written in the papers: ``I``, ``IV-A``, or a lower-case word."""
        name = self.name.replace("_", "-")
        return name if self in FIVE_PHASES else name.lower()


FIVE_PHASES = (Phase.I, Phase.II, Phase.III, Phase.IV_A, Phase.IV_B)
THREE_REGIMES = (Phase.UNDER_TRAINED, Phase.OVER_TRAINED, Phase.WELL_TRAINED)

PHASE_MEANINGS = {
    Phase.I: "underfitted and undersized",
    Phase.II: "underfitted",
    Phase.III: "undersized",
    Phase.IV_A: "overfitted",
    Phase.IV_B: "generalising",
    Phase.UNDER_TRAINED: "high training loss",
    Phase.OVER_TRAINED: "low training loss, high test error",
    Phase.WELL_TRAINED: "low training loss and test error",
    Phase.MISSING: "a metric that decides is missing",
}


class Status(IntEnum):
    """What became of a checkpoint; tells 'never trained' from 'diverged'."""

    NEVER_TRAINED = 0
    TRAINED = 1
    DIVERGED = 2


class Split(IntEnum):
    """Which part of a data set a sample belongs to."""

    TRAIN = 0
    TEST = 1


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    """A hyperparameter that can realise an axis.

    ``grows`` is the sign of d(axis)/d(value): load falls as the width grows, temperature rises
    with the learning rate.
    """

    name: str
    axis: str
    whole: bool
    grows: int
    long_name: str

    @property
    def direction(self) -> str:
        """One sentence for the attributes of a coordinate."""
        return f"{self.axis} {'grows' if self.grows > 0 else 'falls'} as {self.name} grows"

    def label(self, value: Number) -> str:
        """The value as it stands in paths: ``16``, ``0.001``; ``+`` joins labels there."""
        return str(int(value)) if self.whole else format(float(value), ".12g").replace("e+", "e")

    def parse(self, label: str) -> Number:
        """The value that `label` stands for; inverse of `label`."""
        return int(label) if self.whole else float(label)


HYPERPARAMETERS = {
    h.name: h
    for h in (
        Hyperparameter("width", LOAD, whole=True, grows=-1, long_name="width"),
        Hyperparameter(
            "embedding_dim", LOAD, whole=True, grows=-1, long_name="embedding dimension"
        ),
        Hyperparameter("model_dim", LOAD, whole=True, grows=-1, long_name="model dimension"),
        Hyperparameter("batch_size", TEMPERATURE, whole=True, grows=-1, long_name="batch size"),
        Hyperparameter(
            "learning_rate", TEMPERATURE, whole=False, grows=1, long_name="learning rate"
        ),
        Hyperparameter("weight_decay", TEMPERATURE, whole=False, grows=1, long_name="weight decay"),
        Hyperparameter(
            COEFFICIENT, LOAD, whole=False, grows=1, long_name="coefficient of the equation"
        ),
    )
}


def seed_pairs(seeds: tuple[int, ...]) -> list[tuple[int, int]]:
    """All pairs of seeds, first < second, in lexicographic order."""
    ordered = sorted(seeds)
    return [(a, b) for i, a in enumerate(ordered) for b in ordered[i + 1 :]]


def disjoint_pairs(block: tuple[int, ...]) -> list[tuple[int, int]]:
    """The first seed of a block with the second, the third with the fourth and so on.

    No seed is in two of them, so what is measured on one is independent of the others; the last
    seed of an odd number is in none.
    """
    return [(min(pair), max(pair)) for pair in zip(block[::2], block[1::2], strict=False)]


def pairs_within(block: tuple[int, ...], pairs: Pairing) -> list[tuple[int, int]]:
    """The pairs of one block that are compared."""
    return disjoint_pairs(block) if pairs == "disjoint" else seed_pairs(block)


def block_pairs(
    blocks: tuple[tuple[int, ...], ...],
) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """All pairs of blocks of seeds, that with the smaller first seed first.

    The order of the blocks does not matter, so a block that is added changes no pair.
    """
    ordered = sorted(blocks)
    return [(a, b) for i, a in enumerate(ordered) for b in ordered[i + 1 :]]


def compared(blocks: tuple[tuple[int, ...], ...], pairs: Pairing) -> list[tuple[int, int]]:
    """The pairs of seeds of a zoo, first < second: those within blocks, then those between them.

    Args:
        blocks: of seeds.
        pairs: ``within`` blocks only, ``disjoint`` ones of each block, or ``all``.
    """
    found = [pair for block in blocks for pair in pairs_within(block, pairs)]
    if pairs == "all":
        found += [pair for a, b in block_pairs(blocks) for pair in between(a, b)]
    return found


def between(first: tuple[int, ...], second: tuple[int, ...]) -> list[tuple[int, int]]:
    """All pairs with a seed from each of two blocks, first < second, in lexicographic order."""
    return sorted((min(a, b), max(a, b)) for a in first for b in second)

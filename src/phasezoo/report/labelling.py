"""What the labels of a zoo rest on: criteria, thresholds, and how far they can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter

from phasezoo.phases.calibrate import Chosen
from phasezoo.phases.scheme import SCHEMES, Scheme
from phasezoo.spec.phases import Criteria


@dataclass(frozen=True)
class Sensitivity:
    """What the labels become when one threshold is multiplied by a factor."""

    threshold: str
    factor: float
    value: float
    changed: int
    per_phase: dict[str, int]


@dataclass(frozen=True)
class Coverage:
    """What a zoo has of every label at one epoch, as `phasezoo.phases.coverage` counts it.

    Attributes:
        cells: of the grid.
        per_phase: cells of every label of the scheme.
        certain: those of them whose confidence reaches that of the criteria.
        near_border: cells whose label changes when a threshold is moved a little.
        missing: cells without a label.
        absent: labels that no cell has.
        lacking: labels with too few certain cells, and which value of the grid to add.
        sensitivity: one row per threshold and factor.
    """

    cells: int
    per_phase: dict[str, int]
    certain: dict[str, int]
    near_border: int
    missing: int
    absent: list[str]
    lacking: dict[str, str]
    sensitivity: list[Sensitivity]


@dataclass(frozen=True)
class Labelling:
    """How the cells of a zoo came by their labels.

    Attributes:
        criteria: as in the spec of the zoo.
        thresholds: of every metric that decides, and how each was come by.
        notes: what was noticed about the metrics.
        epochs: coverage of every epoch that has labels.
    """

    criteria: Criteria
    thresholds: dict[str, Chosen]
    notes: list[str]
    epochs: dict[int, Coverage]

    @property
    def scheme(self) -> Scheme:
        """The questions that lead to the labels."""
        return SCHEMES[self.criteria.scheme]

    @classmethod
    def of(cls, told: Mapping[str, object]) -> Labelling:
        """From the JSON that lies beside the labels.

        Raises:
            pydantic.ValidationError: a part of it is missing, or is of another type.
        """
        return TypeAdapter(cls).validate_python(told)

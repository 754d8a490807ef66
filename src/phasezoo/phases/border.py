"""Which labels hang on the choice of a threshold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from phasezoo.phases.order import order_of
from phasezoo.phases.scheme import SCHEMES, Cells, Labels, Scheme, Thresholds, moved
from phasezoo.vocabulary import LOAD, TEMPERATURE, Phase


@dataclass(frozen=True)
class Moved:
    """What one threshold, moved, does to the labels."""

    threshold: str
    factor: float
    value: float
    labels: Labels


def moves(
    scheme: Scheme, cells: Cells, at: Thresholds, factors: tuple[float, ...]
) -> Iterator[Moved]:
    """The labels after each threshold alone is moved by each factor."""
    for decision in scheme.decisions:
        for factor in factors:
            value = moved(at[decision.metric], decision.scale, factor)
            labels = scheme.answer(cells, {**at, decision.metric: value})
            yield Moved(decision.metric, factor, value, labels)


def near_border(scheme: Scheme, cells: Cells, at: Thresholds, factor: float) -> NDArray[np.bool_]:
    """Cells whose label changes when any one threshold is multiplied or divided by a factor."""
    labels = scheme.answer(cells, at)
    found = np.zeros(labels.shape, dtype=bool)
    for move in moves(scheme, cells, at, (factor, 1 / factor)):
        found |= move.labels != labels
    return found | scheme.doubtful(cells, at)


def sensitivity(labelled: xr.Dataset, factors: tuple[float, ...]) -> list[dict[str, object]]:
    """How many cells change their label when a threshold moves, and what is then in each phase.

    Args:
        labelled: what `classify_phases` gave, of one epoch, with its attributes.
        factors: by which each threshold is multiplied; of a likeness, its distance from 1.

    Returns:
        One row per threshold and factor: threshold, factor, value, changed, per_phase.
    """
    scheme = SCHEMES[labelled.attrs["scheme"]]
    found = json.loads(labelled.attrs["thresholds"])
    at = {name: chosen["value"] for name, chosen in found.items()}
    ordered = labelled.isel({TEMPERATURE: order_of(labelled).cold_to_hot})
    cells = {
        name: ordered[f"{name}_of_cell"].transpose(LOAD, TEMPERATURE).values.astype(np.float64)
        for name in scheme.metrics
    }
    labels = scheme.answer(cells, at)
    return [
        {
            "threshold": move.threshold,
            "factor": move.factor,
            "value": move.value,
            "changed": int((move.labels != labels).sum()),
            "per_phase": _counts(scheme.labels, move.labels),
        }
        for move in moves(scheme, cells, at, factors)
    ]


def _counts(known: tuple[Phase, ...], labels: Labels) -> dict[str, int]:
    return {phase.title: int((labels == phase).sum()) for phase in known}

"""The trees of decisions by which a cell gets its label, and how each number is compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from phasezoo.vocabulary import FIVE_PHASES, THREE_REGIMES, Phase

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]
Cells = Mapping[str, Floats]  # of every metric that decides, [..., load, temperature], cold to hot
Thresholds = Mapping[str, float]
RESOLUTION = 2e-3  # of an error: smaller barriers are not told apart


class Scale(StrEnum):
    """How the values of a metric are compared with each other."""

    SIZE = "logarithm of the size"  # losses and errors, which differ by factors
    BARRIER = "logarithm of the barrier"  # the same, of what lies below 0
    LIKENESS = "likeness"  # of 0 to 1, as it is


@dataclass(frozen=True)
class Decision:
    """One question of a tree.

    Attributes:
        metric: the number that decides; its threshold has the same name.
        scale: on which the numbers are compared.
        asked: the cells on which the question is put, given what was decided before.
        fallback: the threshold where the cells asked do not fall into two groups; None: then the
            least of them is the threshold, and all are on its upper side.
        lowest: the highest mean that the lower of two groups may have, as a threshold.
    """

    metric: str
    scale: Scale
    asked: Callable[[Cells, Thresholds], NDArray[np.bool_]]
    fallback: float | None
    lowest: float = float("inf")


@dataclass(frozen=True)
class Scheme:
    """Labels, the questions that lead to them in their order, and the answer.

    `doubtful` are cells that are near a border whatever the thresholds.
    """

    labels: tuple[Phase, ...]
    decisions: tuple[Decision, ...]
    answer: Callable[[Cells, Thresholds], Labels]
    doubtful: Callable[[Cells, Thresholds], NDArray[np.bool_]]

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that decide."""
        return tuple(decision.metric for decision in self.decisions)


def on_scale(values: Floats, scale: Scale) -> Floats:
    """Numbers as they are compared; zero and what is on the other side count as the resolution."""
    match scale:
        case Scale.SIZE:
            return np.log(np.maximum(values, 1e-12))
        case Scale.BARRIER:
            return np.log(np.maximum(-values, RESOLUTION))
        case Scale.LIKENESS:
            return values


def off_scale(value: float, scale: Scale) -> float:
    """The threshold that stands at a place on the scale."""
    return value if scale is Scale.LIKENESS else float(np.exp(value))


def moved(threshold: float, scale: Scale, factor: float) -> float:
    """A threshold moved by a factor; that of a likeness by a factor of its distance from 1."""
    if scale is Scale.LIKENESS:
        return 1 - (1 - threshold) * factor
    return threshold * factor


def _low(cells: Cells, at: Thresholds) -> NDArray[np.bool_]:
    return np.asarray(cells["train_loss"] < at["train_loss"])


def _connected(cells: Cells, at: Thresholds) -> NDArray[np.bool_]:
    return np.asarray(cells["mode_connectivity"] >= -at["mode_connectivity"])


def _all(cells: Cells, at: Thresholds) -> NDArray[np.bool_]:
    return np.isfinite(cells["train_loss"])


def _hot(cells: Cells, at: Thresholds) -> NDArray[np.bool_]:
    """Cells hotter than the most similar connected cell of low loss and the same load.

    Only where that one is similar: where none is, which of them comes first is chance.
    """
    four = _low(cells, at) & _connected(cells, at)
    cka = np.where(four & np.isfinite(cells["cka"]), cells["cka"], -np.inf)
    peak = cka.argmax(axis=-1)[..., None]
    there = cka.max(axis=-1)[..., None] >= at["cka"]
    return np.asarray((np.arange(cka.shape[-1]) > peak) & there)


def _phase(cells: Cells, at: Thresholds) -> Labels:
    low, connected = _low(cells, at), _connected(cells, at)
    four = low & connected
    generalising = (cells["cka"] >= at["cka"]) | _hot(cells, at)
    phase = np.where(connected, np.where(generalising, Phase.IV_B, Phase.IV_A), Phase.III)
    phase = np.where(low, phase, np.where(connected, Phase.II, Phase.I))
    missing = np.isnan(cells["train_loss"]) | np.isnan(cells["mode_connectivity"])
    missing |= four & np.isnan(cells["cka"])
    return np.where(missing, Phase.MISSING, phase).astype(np.int8)


def _dissimilar_by_noise(cells: Cells, at: Thresholds) -> NDArray[np.bool_]:
    """Cells of IV-B that are so only because they lie on the hot side."""
    four = _low(cells, at) & _connected(cells, at)
    return np.asarray(four & _hot(cells, at) & (cells["cka"] < at["cka"]))


def _regime(cells: Cells, at: Thresholds) -> Labels:
    low, high_error = _low(cells, at), cells["test_error"] >= at["test_error"]
    regime = np.where(high_error, Phase.OVER_TRAINED, Phase.WELL_TRAINED)
    regime = np.where(low, regime, Phase.UNDER_TRAINED)
    missing = np.isnan(cells["train_loss"]) | (low & np.isnan(cells["test_error"]))
    return np.where(missing, Phase.MISSING, regime).astype(np.int8)


# Yang et al. 2021 (arXiv 2107.11228, section 3): globally connected or not, at high and at low
# training loss; the connected ones of low loss by similarity. The zoo paper's table (arXiv
# 2504.18072) says the same with the signs of mode connectivity: a barrier in I and III, ends that
# are worse than the middle in II, about 0 in IV.
#
# IV-A is where models overfit for want of noise: it lies on the cold side. Noise makes models
# dissimilar as well, towards II, where they do not overfit; so a cell that is hotter than the most
# similar one of its load is IV-B like that one.
PHASES = Scheme(
    FIVE_PHASES,
    (
        Decision("train_loss", Scale.SIZE, _all, 0.05),
        Decision("mode_connectivity", Scale.BARRIER, _low, 0.01, lowest=0.05),
        Decision("cka", Scale.LIKENESS, lambda c, at: _low(c, at) & _connected(c, at), None),
    ),
    _phase,
    _dissimilar_by_noise,
)

# The names are those of arXiv 2605.29153; that they are told apart by training loss and test error
# is this project's reading of them.
REGIMES = Scheme(
    THREE_REGIMES,
    (
        Decision("train_loss", Scale.SIZE, _all, 1e-3),
        Decision("test_error", Scale.SIZE, _low, 0.1),
    ),
    _regime,
    lambda cells, at: np.zeros(cells["train_loss"].shape, dtype=bool),
)

SCHEMES: Mapping[str, Scheme] = {"phases": PHASES, "regimes": REGIMES}

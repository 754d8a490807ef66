"""Spec of the labels of cells: which scheme, which thresholds, and when a label is trusted."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from phasezoo.spec.base import PositiveFloat, PositiveInt, Share, Spec

Calibrated = Literal["calibrated"]
CALIBRATED: Calibrated = "calibrated"


def _kind(given: Any) -> str:
    word = isinstance(given, str) and not re.match(r"[-+.\d]", given)
    return "word" if word else "number"


_Word = Annotated[Calibrated, Tag("word")]
Threshold = Annotated[Annotated[PositiveFloat, Tag("number")] | _Word, Discriminator(_kind)]
ThresholdShare = Annotated[Annotated[Share, Tag("number")] | _Word, Discriminator(_kind)]


class _Labelling(Spec):
    """What all schemes share.

    Attributes:
        seeds: how the seeds and pairs of a cell become one number.
        resamples: of seeds and pairs, from which the confidence of a label is taken.
        confidence: the share of resamples with the same label from which on it counts as certain.
        confident_cells: how many certain cells a phase needs to count as covered.
        factor: by which a threshold is moved, either way, to find the cells near a border.
    """

    seeds: Literal["mean", "median"] = "median"
    resamples: Annotated[PositiveInt, Field(ge=20)] = 400
    confidence: Share = 0.8
    confident_cells: PositiveInt = 2
    factor: Annotated[PositiveFloat, Field(gt=1)] = 1.25


class PhaseCriteria(_Labelling):
    """The five phases (arXiv 2504.18072, after arXiv 2107.11228); see `phasezoo.phases.scheme`.

    Attributes:
        train_loss: from here on a cell is underfitted.
        mode_connectivity: a barrier (fraction of error) higher than this separates its models.
        cka: from here on the models of a connected cell are similar.
    """

    scheme: Literal["phases"] = "phases"
    train_loss: Threshold = CALIBRATED
    mode_connectivity: ThresholdShare = CALIBRATED
    cka: ThresholdShare = CALIBRATED


class RegimeCriteria(_Labelling):
    """The three regimes of models of scientific computing (arXiv 2605.29153).

    Attributes:
        train_loss: from here on a cell is under-trained.
        test_error: from here on a cell of low training loss is over-trained.
    """

    scheme: Literal["regimes"] = "regimes"
    train_loss: Threshold = CALIBRATED
    test_error: Threshold = CALIBRATED


def _named(given: Any) -> Any:
    """Criteria that name no scheme are those of phases."""
    return {"scheme": "phases", **given} if isinstance(given, dict) else given


Criteria = Annotated[
    PhaseCriteria | RegimeCriteria, Field(discriminator="scheme"), BeforeValidator(_named)
]

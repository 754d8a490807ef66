"""What a classifier is judged by: loss, errors, and how far its confidence can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

Floats = NDArray[np.float64]
TOP = 5  # classes that may hold the right one


@dataclass(frozen=True)
class Reliability:
    """How confidence goes with accuracy, each [bins] from the least confident on.

    Attributes:
        count: samples in the bin.
        confidence: mean probability of the likeliest class; missing in an empty bin.
        accuracy: share of samples whose likeliest class is right; missing in an empty bin.
    """

    count: Floats
    confidence: Floats
    accuracy: Floats


@dataclass(frozen=True)
class Judgement:
    """What is said of outputs on a set.

    Attributes:
        loss: mean cross-entropy, nats.
        error: share of samples whose likeliest class is wrong; not-a-number counts as wrong.
        top5_error: share of samples whose class is not among their own five largest logits;
            missing where there are no more than five classes.
        calibration_error: expected calibration error of the likeliest class (Guo et al. 2017),
            sum_b n_b / N |accuracy_b - confidence_b| over bins of equal width.
        curve: what it is made from.
    """

    loss: float
    error: float
    top5_error: float
    calibration_error: float
    curve: Reliability


def marks(logits: Tensor, labels: Tensor) -> Tensor:
    """What is to be known of samples one by one, [N, 4] in float64, on the CPU.

    Cross-entropy; whether the likeliest class is wrong; whether all of the five likeliest are,
    where a class as likely as the right one counts as before it; the largest probability.

    Args:
        logits: [N, K].
        labels: [N].
    """
    wide, labels = logits.double(), labels.to(logits.device)
    own = wide.gather(1, labels[:, None])
    finite = wide.isfinite().all(dim=1)
    before = (wide >= own).sum(dim=1) - 1  # its own is not before itself
    is_late = (before >= TOP) | ~finite
    late = is_late.double() if logits.shape[1] > TOP else torch.full_like(own[:, 0], torch.nan)
    wrong = (wide.argmax(dim=1) != labels) | ~finite
    losses = functional.cross_entropy(wide, labels, reduction="none")
    return torch.stack([losses, wrong.double(), late, wide.softmax(dim=1).amax(dim=1)], dim=1).cpu()


def judgement(of: Tensor, bins: int, times: int = 1) -> Judgement:
    """The judgement of `marks` [N, 4].

    Args:
        of: the marks.
        bins: of confidence, of equal width: bin b holds what is in (b / bins, (b + 1) / bins].
        times: how often every sample is among the marks; counts are of samples.
    """
    loss, error, late = of[:, :3].mean(dim=0).tolist()
    right, confidence = 1 - of[:, 1], of[:, 3]
    curve, gap = _curve(right, confidence, bins), torch.nan
    if confidence.isfinite().all():
        gaps = np.abs(curve.accuracy - curve.confidence)
        gap = float(np.nansum(curve.count * gaps) / len(of))
    return Judgement(loss, error, late, gap, _scaled(curve, 1 / times))


def _curve(right: Tensor, confidence: Tensor, bins: int) -> Reliability:
    """Over samples; of confidences that are not numbers nothing is known."""
    if not confidence.isfinite().all():
        nothing = np.full(bins, np.nan)
        return Reliability(nothing, nothing, nothing)
    edges = torch.linspace(0, 1, bins + 1, dtype=torch.float64)[1:-1]
    place = torch.bucketize(confidence.contiguous(), edges)
    ones = torch.ones_like(confidence)
    sums = (
        torch.zeros(bins, dtype=torch.float64).index_add(0, place, of)
        for of in (ones, confidence, right)
    )
    count, confident, accurate = (of.numpy() for of in sums)
    with np.errstate(invalid="ignore"):
        return Reliability(count, confident / count, accurate / count)


def _scaled(curve: Reliability, factor: float) -> Reliability:
    return Reliability(curve.count * factor, curve.confidence, curve.accuracy)


def mean_judgement(several: Sequence[Judgement]) -> Judgement:
    """The mean of the numbers of several models; in a bin, the mean over the samples of all.

    So the calibration error is that of a model alone, not that of the mean curve.
    """
    numbers = [(of.loss, of.error, of.top5_error, of.calibration_error) for of in several]
    counts = np.array([of.curve.count for of in several])  # [models, bins]
    total = counts.sum(axis=0)

    def of_all(values: Floats) -> Floats:
        with np.errstate(invalid="ignore"):
            parts = np.where(counts == 0, 0.0, counts * values)
            mean: Floats = parts.sum(axis=0) / total
        return mean

    curve = Reliability(
        total / len(several),
        of_all(np.array([of.curve.confidence for of in several])),
        of_all(np.array([of.curve.accuracy for of in several])),
    )
    loss, error, top5_error, calibration_error = np.mean(numbers, axis=0).tolist()
    return Judgement(loss, error, top5_error, calibration_error, curve)

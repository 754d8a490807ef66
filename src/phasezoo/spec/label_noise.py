"""Spec of wrong labels."""

from __future__ import annotations

from phasezoo.spec.base import Fraction, NonNegativeInt, Spec


class LabelNoise(Spec):
    """A share of the training labels is replaced by another class, drawn uniformly."""

    fraction: Fraction
    seed: NonNegativeInt

"""Spec of points of the plane and the classes they lie in."""

from __future__ import annotations

from typing import ClassVar, Literal

from phasezoo.spec.base import NonNegativeInt, PositiveInt, Spec


class Quadrant(Spec):
    """Points drawn uniformly from [-1, 1]^2; those with x1 < 0 and x2 > 0 are the second class.

    The task of a counter-example to linear connectivity (Ainsworth et al. 2023, appendix A.6;
    `phasezoo.merging.counter_example`).
    """

    kind: ClassVar[str] = "plane"

    source: Literal["quadrant"]
    recipe: PositiveInt
    train: PositiveInt
    test: PositiveInt
    split_seed: NonNegativeInt

    @property
    def training_samples(self) -> int:
        """Number of training samples."""
        return self.train

    @property
    def origin(self) -> str:
        """Names the raw samples."""
        return self.source

    @property
    def division(self) -> tuple[int, ...]:
        """What decides which samples are for testing: nothing, both sides are drawn apart."""
        return ()

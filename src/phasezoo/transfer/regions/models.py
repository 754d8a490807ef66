"""The tuned models of a region study, as bodies with labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from phasezoo.transfer.regions.start import Start


@dataclass(frozen=True, eq=False)
class Models:
    """Bodies of the models of a study.

    Attributes:
        start: that they were tuned from.
        bodies: [M, D] float64; rows that are not finite take part in nothing.
        datasets: of each model.
        families: of each data set.
    """

    start: Start
    bodies: Tensor
    datasets: Sequence[str]
    families: Mapping[str, str]

    def finite(self, places: Sequence[int]) -> list[int]:
        """Those of some positions whose bodies are finite."""
        return [place for place in places if bool(self.bodies[place].isfinite().all())]

    @property
    def vectors(self) -> Tensor:
        """Their task vectors, [M, D] float64."""
        return self.bodies - self.start.body.double()

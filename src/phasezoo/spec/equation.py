"""Spec of the points at which a physics-informed network is asked about an equation."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from phasezoo.spec.base import NonNegativeInt, PositiveFloat, PositiveInt, Spec, refused

Name = Literal["convection", "reaction", "wave"]


class EquationPoints(Spec):
    """Points of an equation (`phasezoo.data.equation`): trained on, and tested on.

    The training set has points drawn from the inside of the grid, all its points at t = 0, and
    pairs of its points at both ends. The test set is the whole inside of the grid, with the same
    conditions; the points trained on are among them, as in the study of Krishnapriyan et al.
    2021: training is told no values there, only that the equation holds.

    Attributes:
        coefficient: of the equation; none where the load sets it.
        interior: points inside, trained on.
        boundary: points in time at both ends, trained on.
        grid: points along x and t.
    """

    kind: ClassVar[str] = "points"

    source: Name
    recipe: PositiveInt
    coefficient: PositiveFloat | None
    interior: PositiveInt
    boundary: Annotated[PositiveInt, Field(ge=2)]
    grid: Annotated[tuple[PositiveInt, ...], Field(min_length=2, max_length=2)]
    split_seed: NonNegativeInt

    @model_validator(mode="after")
    def _fits(self) -> EquationPoints:
        along_x, along_t = self.grid
        if min(self.grid) < 4:
            raise refused("grid", list(self.grid), "at least 4 points along each of x and t")
        inside = (along_x - (2 if self.source == "wave" else 1)) * (along_t - 1)
        if self.interior > inside:
            raise refused("interior", self.interior, f"at most {inside}, those inside the grid")
        if self.boundary > along_t:
            raise refused("boundary", self.boundary, f"at most {along_t}, those of the grid in t")
        whole = self.coefficient is None or self.coefficient.is_integer()
        if self.source == "wave" and not whole:
            allowed = "a whole number, so that the solution vanishes at both ends"
            raise refused("coefficient", self.coefficient, allowed)
        return self

    @property
    def initial(self) -> int:
        """Points at t = 0: those of the grid."""
        return self.grid[0]

    @property
    def training_samples(self) -> int:
        """Rows of the training set, over all that is asked."""
        ends = 1 if self.source != "wave" else 2
        rest = self.initial if self.source == "wave" else 0
        return self.interior + self.initial + rest + ends * self.boundary

    @property
    def train(self) -> int:
        """The same; there is nothing to leave out."""
        return self.training_samples

    @property
    def division(self) -> tuple[int, ...]:
        """What the split depends on: nothing, its test points are those of the whole grid."""
        return ()

    @property
    def origin(self) -> str:
        """Names the raw points: two equations share none of what is asked."""
        return f"{self.source} {self.coefficient}"

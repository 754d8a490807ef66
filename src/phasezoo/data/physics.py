"""The objective of a physics-informed network, and the rows of points that it is asked about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from phasezoo.data.equation import EQUATIONS, Equation, along
from phasezoo.data.objective import Function, Objective


class Ask(IntEnum):
    """What a row asks of u at its point."""

    EQUATION = 0  # no residual of the equation
    VALUE = 1  # the value of the solution: initial values, fixed ends
    PERIODIC = 2  # the value at the other end
    VELOCITY = 3  # no derivative along t: a wave at rest


POINT, PARTNER = slice(0, 2), slice(2, 4)  # columns of a row: x, t, and x, t of the other end
_ASK = slice(4, 4 + len(Ask))  # one column per kind, 1 in that of the row
REFERENCE, GOAL, WEIGHT, COUNTED = range(4)  # columns of the targets


@dataclass(frozen=True)
class Physics(Objective):
    """Squared residuals of an equation and its conditions; error: relative L2 distance.

    Rows of inputs are [N, 8] (`rows_of`), targets [N, 4] (`targets_of`), outputs [N, 2]: u and
    the residual r of what the row asks. The loss of a row is weight (r - goal)^2, with weights
    such that the mean over all rows of a set is the sum of the mean squares of each kind
    (Raissi et al. 2019; Krishnapriyan et al. 2021, eq. 2 with all factors 1). The error is
    |u - u*| / |u*|, Euclidean norms over the rows that ask for the equation; it may exceed 1.
    """

    equation: Equation
    classifies = False
    chunk = 2**15

    def outputs(self, function: Function, inputs: Tensor) -> Tensor:
        """U and the residual of every row, [N, 2]."""
        point, partner = inputs[:, POINT], inputs[:, PARTNER]
        on_equation, on_value, periodic, velocity = inputs[:, _ASK].split(1, dim=1)
        u, residual = self.equation.residual(function, point)
        found = on_equation * residual + (on_value + periodic) * u
        if self.equation.periodic:
            found = found - periodic * function(partner)
        if self.equation.at_rest:
            found = found + velocity * along(function, point, (0.0, 1.0))[1]
        return torch.cat([u, found], dim=1)

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Weighted squared residual of every row, [N]."""
        return targets[:, WEIGHT] * (outputs[:, 1] - targets[:, GOAL]).square()

    def terms(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Loss of every row, squared distance from the solution, squared solution."""
        wide, wanted = outputs.double(), targets.double()
        counted, reference = wanted[:, COUNTED], wanted[:, REFERENCE]
        distance = counted * (wide[:, 0] - reference).square()
        return torch.stack(
            [self.losses(wide, wanted), distance, counted * reference.square()], dim=1
        )

    def error(self, wrong: Tensor, of: Tensor) -> Tensor:
        """Relative L2 error."""
        return (wrong / of).sqrt()

    def answers(self, function: Function, inputs: Tensor) -> Tensor:
        """U at the points of rows, [N, 1]."""
        return function(inputs[:, POINT])

    def input_shape(self, inputs: Tensor) -> tuple[int, ...]:
        """A network sees x and t."""
        return (2,)


def physics(equation: str, coefficient: float) -> Physics:
    """The objective of an equation by name, with its coefficient."""
    return Physics(EQUATIONS[equation](coefficient))


def rows_of(points: xr.Dataset) -> Tensor:
    """Rows [N, 8] float32 of a labelled set of points: x, t, partner_x, partner_t, one-hot ask."""
    columns = [points[name].values for name in ("x", "t", "partner_x", "partner_t")]
    asked = np.eye(len(Ask))[points["ask"].values]
    return torch.from_numpy(np.column_stack([*columns, asked])).float()


def targets_of(objective: Physics, rows: Tensor) -> Tensor:
    """Targets [N, 4] of rows: the solution, what the residual should be, weight, counted."""
    wide = rows.double()
    ask = wide[:, _ASK].argmax(dim=1)
    solution = objective.equation.solution(wide[:, POINT])[:, 0]
    goal = torch.where(ask == Ask.VALUE, solution, 0.0)
    counts = torch.bincount(ask, minlength=len(Ask)).double()
    weight = len(rows) / counts[ask]
    counted = (ask == Ask.EQUATION).double()
    return torch.stack([solution, goal, weight, counted], dim=1).to(rows)


def with_coefficient(objective: Physics, coefficient: float) -> Physics:
    """The objective of the same equation with another coefficient."""
    return replace(objective, equation=replace(objective.equation, coefficient=coefficient))

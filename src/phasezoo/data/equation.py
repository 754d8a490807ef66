"""Differential equations with known solutions, for physics-informed networks."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.func import jvp

from phasezoo.data.objective import Function

Coefficient = float | Tensor  # of all points, or of each, [N, 1]
Directions = tuple[Coefficient, Coefficient]  # of a derivative, along x and t


@runtime_checkable
class CarriesTangents(Protocol):
    """A function that computes its derivative along tangents beside its values."""

    def along(self, points: Tensor, tangent: Tensor) -> tuple[Tensor, Tensor]:
        """Values and derivatives, each [N, 1]."""
        ...


@dataclass(frozen=True)
class Equation(ABC):
    """An equation for u(x, t) on 0 <= x <= length, 0 <= t <= 1, with a coefficient.

    Points are [N, 2], columns x and t; values are [N, 1].
    """

    coefficient: Coefficient
    periodic: ClassVar[bool]  # in x; otherwise u is given at both ends
    at_rest: ClassVar[bool]  # whether u_t(x, 0) = 0 is asked as well
    references: ClassVar[str] = "Krishnapriyan et al. 2021, arXiv:2109.01050"

    @property
    @abstractmethod
    def length(self) -> float:
        """Length of the domain along x."""

    @abstractmethod
    def residual(self, function: Function, points: Tensor) -> tuple[Tensor, Tensor]:
        """U and the residual of the equation at points; 0 everywhere for a solution."""

    @abstractmethod
    def solution(self, points: Tensor) -> Tensor:
        """The solution in closed form."""


class Convection(Equation):
    """u_t + beta u_x = 0, periodic in x on [0, 2 pi], u(x, 0) = sin x.

    The solution is sin(x - beta t) (Krishnapriyan et al. 2021, arXiv 2109.01050, section 3.1).
    """

    periodic = True
    at_rest = False

    @property
    def length(self) -> float:
        """2 pi."""
        return 2 * math.pi

    def residual(self, function: Function, points: Tensor) -> tuple[Tensor, Tensor]:
        """The derivative along (beta, 1)."""
        return along(function, points, (self.coefficient, 1.0))

    def solution(self, points: Tensor) -> Tensor:
        """The initial wave, moved."""
        x, t = points.split(1, dim=1)
        return torch.sin(x - self.coefficient * t)


class Reaction(Equation):
    """u_t = rho u (1 - u), periodic in x on [0, 2 pi], a bell of width pi / 4 at first.

    The solution is h e^(rho t) / (h e^(rho t) + 1 - h), h = u(x, 0)
    = exp(-(x - pi)^2 / (2 (pi / 4)^2)) (Krishnapriyan et al. 2021, section 3.2).
    """

    periodic = True
    at_rest = False

    @property
    def length(self) -> float:
        """2 pi."""
        return 2 * math.pi

    def residual(self, function: Function, points: Tensor) -> tuple[Tensor, Tensor]:
        """u_t - rho u (1 - u)."""
        u, slope = along(function, points, (0.0, 1.0))
        return u, slope - self.coefficient * u * (1 - u)

    def solution(self, points: Tensor) -> Tensor:
        """Logistic growth at every x, in a form that does not overflow."""
        x, t = points.split(1, dim=1)
        start = torch.exp(-(x - math.pi).square() / (2 * (math.pi / 4) ** 2))
        decay = torch.exp(-self.coefficient * t)
        return start / (start + (1 - start) * decay)


class Wave(Equation):
    """u_tt = 4 u_xx on [0, 1], u = 0 at both ends, at rest at first.

    The solution is sin(pi x) cos(2 pi t) + 1/2 sin(beta pi x) cos(2 beta pi t), with a whole
    beta, so that it vanishes at the ends (Wang et al. 2022, arXiv 2007.14527, section 7.3).
    """

    periodic = False
    at_rest = True
    references = "Wang et al. 2022, arXiv:2007.14527"

    @property
    def length(self) -> float:
        """1."""
        return 1.0

    def residual(self, function: Function, points: Tensor) -> tuple[Tensor, Tensor]:
        """u_tt - 4 u_xx, as the derivative along (-2, 1) of the derivative along (2, 1)."""

        def forward(some: Tensor) -> Tensor:
            return along(function, some, (2.0, 1.0))[1]

        return function(points), along(forward, points, (-2.0, 1.0))[1]

    def solution(self, points: Tensor) -> Tensor:
        """Two standing waves."""
        x, t = points.split(1, dim=1)
        slow = torch.sin(math.pi * x) * torch.cos(2 * math.pi * t)
        beta = self.coefficient * math.pi
        return slow + torch.sin(beta * x) * torch.cos(2 * beta * t) / 2


def along(function: Function, points: Tensor, direction: Directions) -> tuple[Tensor, Tensor]:
    """Values of a function and its derivative along a direction (x, t), in one forward pass.

    A network that carries tangents itself (`phasezoo.models.pinn`) does so.
    """
    tangent = torch.cat([_column(part, points) for part in direction], dim=1)
    if isinstance(function, CarriesTangents):
        return function.along(points, tangent)
    value, slope, *_ = jvp(function, (points,), (tangent,))
    return value, slope


def _column(part: Coefficient, points: Tensor) -> Tensor:
    """[N, 1]; made on the device, because a captured step can copy nothing to it."""
    if isinstance(part, Tensor):
        return part.to(points).expand(len(points), 1)
    return points.new_full((len(points), 1), part)


EQUATIONS: dict[str, type[Equation]] = {
    "convection": Convection,
    "reaction": Reaction,
    "wave": Wave,
}

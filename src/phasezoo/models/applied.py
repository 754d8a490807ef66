"""A module as a function, with tensors of its caller in the place of its own."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.func import functional_call

from phasezoo.data.equation import CarriesTangents
from phasezoo.data.objective import Function


def applied(module: nn.Module, tensors: Mapping[str, Tensor]) -> Function:
    """The function of a module with some tensors; it carries tangents if the module does."""
    kind = _Directional if isinstance(module, CarriesTangents) else _Applied
    return kind(module, tensors)


class _Applied:
    def __init__(self, module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
        self._module, self._tensors = module, dict(tensors)

    def __call__(self, inputs: Tensor) -> Tensor:
        values: Tensor = functional_call(self._module, self._tensors, (inputs,))
        return values


class _Directional(_Applied):
    def along(self, points: Tensor, tangent: Tensor) -> tuple[Tensor, Tensor]:
        """Values and derivatives along tangents."""
        tensors = {f"module.{name}": tensor for name, tensor in self._tensors.items()}
        found: tuple[Tensor, Tensor] = functional_call(
            _Along(self._module), tensors, (points, tangent)
        )
        return found


class _Along(nn.Module):
    """Calls `along` of a module, since `functional_call` calls nothing but `forward`."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, points: Tensor, tangent: Tensor) -> tuple[Tensor, Tensor]:
        """Values and derivatives along tangents."""
        found: tuple[Tensor, Tensor] = self.module.along(points, tangent)  # type: ignore[operator]
        return found

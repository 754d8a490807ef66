"""One operation of a graph, as a rule sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from phasezoo.merging.permutation.inference.indices import Expression
from phasezoo.merging.permutation.inference.values import Axes, Value

Outputs = Sequence[Value]


@dataclass(frozen=True)
class Call:
    """An operation, its arguments by name, and the shapes of what it makes.

    Attributes:
        name: without overload, such as ``aten.view``.
        arguments: values of the graph in the place of tensors.
        shapes: of the outputs.
        note: told the axes of what an operation makes on its way to the output.
    """

    name: str
    arguments: Mapping[str, Any]
    shapes: tuple[tuple[int, ...], ...]
    note: Callable[[Sequence[Expression]], None]

    def __getitem__(self, argument: str) -> Any:
        return self.arguments.get(argument)

    @property
    def values(self) -> list[Value]:
        """All tensors among the arguments."""
        return list(_values(list(self.arguments.values())))

    def axes(self, argument: str) -> Axes:
        """Of a tensor among the arguments, one expression each."""
        value: Value = self.arguments[argument]
        return value.joined(self.name)

    def has(self, argument: str) -> bool:
        """Whether there is such a tensor among the arguments."""
        return isinstance(self[argument], Value)


Rule = Callable[[Call], Outputs]


def _values(argument: Any) -> Iterator[Value]:
    if isinstance(argument, Value):
        yield argument
    elif isinstance(argument, list | tuple):
        for one in argument:
            yield from _values(one)

"""What is known of the values of a graph: an expression for each of their axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from phasezoo.merging.permutation.inference.indices import (
    Expression,
    concatenation,
    resolved,
    unify,
)

Axes = tuple[Expression, ...]


@dataclass(frozen=True)
class Value:
    """A tensor of the graph: mostly one member, with an expression for each axis.

    Several members follow each other along an axis, and their other axes have indices of their
    own: queries, keys and values that were made by one product, before they are told apart.
    """

    members: tuple[Axes, ...]
    along: int = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        along = sum(member[self.along].size for member in self.members) if self.members[0] else 0
        first = enumerate(self.members[0])
        return tuple(along if a == self.along else axis.size for a, axis in first)

    def joined(self, why: str) -> Axes:
        """One expression for each axis: the members are permuted alike."""
        if len(self.members) == 1:
            return self.members[0]
        first = self.members[0]
        for member in self.members[1:]:
            for axis, (one, other) in enumerate(zip(first, member, strict=True)):
                if axis != self.along:
                    unify(one, other, why)
        whole = concatenation(*(member[self.along] for member in self.members))
        return (*first[: self.along], whole, *first[self.along + 1 :])

    def each(self, move: Callable[[Axes], Axes], to: int) -> Value:
        """The value with the axes of all members moved; that along which they lie is then `to`."""
        return Value(tuple(move(member) for member in self.members), to)


def plain(axes: Sequence[Expression]) -> Value:
    """A value of one member."""
    return Value((tuple(axes),))


def stacked(members: Sequence[Axes], along: int, why: str) -> Value:
    """Values one after the other; of one member unless they differ in another axis."""
    value = Value(tuple(members), along)
    known = [[resolved(axis) for axis in member] for member in members]
    differ = any(
        one != other and axis != along and one.size > 1
        for member in known[1:]
        for axis, (one, other) in enumerate(zip(known[0], member, strict=True))
    )
    return value if differ else plain(value.joined(why))

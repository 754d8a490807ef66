"""Which permutation acts on which axis of which tensor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from phasezoo.models.flat import Layout
from phasezoo.vocabulary import PhasezooError

Axes = tuple[str | None, ...]


class AlignmentError(PhasezooError):
    """A permutation spec does not fit the network it is used on."""


@dataclass(frozen=True)
class PermutationSpec:
    """Which permutation acts on which axis of which tensor, parameters and buffers alike.

    Attributes:
        axes: tensor name -> one permutation name or None per axis.
    """

    axes: Mapping[str, Axes]

    @property
    def names(self) -> list[str]:
        """All permutations, in the order in which they first appear."""
        found = [name for axes in self.axes.values() for name in axes if name]
        return list(dict.fromkeys(found))

    def places(self, name: str) -> list[tuple[str, int]]:
        """Every (tensor, axis) that a permutation acts on."""
        return [(t, i) for t, axes in self.axes.items() for i, at in enumerate(axes) if at == name]

    def size(self, name: str, layout: Layout) -> int:
        """Number of units that a permutation acts on."""
        shapes = {slot.name: slot.shape for slot in layout.slots}
        return next(shapes[t][axis] for t, axis in self.places(name) if t in shapes)

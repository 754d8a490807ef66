"""Reading the tensors of checkpoints, each from its chunk of the store alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from torch import Tensor

from phasezoo.learning.forms import Shapes
from phasezoo.models.flat import Layout, Slot, Weights
from phasezoo.store.checkpoints import Stored
from phasezoo.store.zoo import Zoo
from phasezoo.vocabulary import LOAD, Number


class Kind(NamedTuple):
    """Models whose tensors have the same shapes: those of a zoo (its position) at a load."""

    zoo: int
    load: Number


class Reader:
    """The checkpoints of some zoos, by their position."""

    def __init__(
        self, zoos: Sequence[Zoo], places: Sequence[tuple[int, Mapping[str, Any]]], buffers: bool
    ) -> None:
        """Take what to read; the tables of tensors are read when they are first needed.

        Args:
            zoos: opened.
            places: of every checkpoint: the position of its zoo, and its labels by axis.
            buffers: whether buffers that have an axis (counters have none) are read as well.
        """
        self.zoos, self._places, self._buffers = zoos, places, buffers

    def kind(self, index: int) -> Kind:
        """The kind of a checkpoint."""
        zoo, labels = self._places[index]
        return Kind(zoo, labels[LOAD])

    @cached_property
    def layouts(self) -> dict[Kind, tuple[Layout, Layout]]:
        """Where the tensors of every kind lie in parameters and buffers."""
        examples = {self.kind(i): i for i in reversed(range(len(self._places)))}
        return {kind: self._stored(examples[kind]).layouts for kind in sorted(examples)}

    @property
    def shapes(self) -> list[Shapes]:
        """The shapes of the tensors of every kind."""
        return [{slot.name: slot.shape for slot in self._slots(kind)} for kind in self.layouts]

    def tensors(
        self, index: int, changed: Callable[[Weights], Weights] | None = None
    ) -> dict[str, Tensor]:
        """The tensors of a checkpoint by name, in the order of the store; changed, if wanted."""
        weights = self._stored(index).weights()
        weights = changed(weights) if changed else weights
        parameters, buffers = self.layouts[self.kind(index)]
        found = parameters.unflatten(weights.parameters) | buffers.unflatten(weights.buffers)
        return {slot.name: found[slot.name] for slot in self._slots(self.kind(index))}

    def _stored(self, index: int) -> Stored:
        zoo, labels = self._places[index]
        return self.zoos[zoo].stored(**labels)

    def _slots(self, kind: Kind) -> list[Slot]:
        parameters, buffers = self.layouts[kind]
        more = [slot for slot in buffers.slots if slot.shape] if self._buffers else []
        return [*parameters.slots, *more]

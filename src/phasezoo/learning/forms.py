"""The forms in which weights are given to a learner."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

import torch
from torch import Tensor

from phasezoo.landscape.weight_statistics import STATISTICS, has, weight_statistics
from phasezoo.learning.sides import LearningError

FormName = Literal["vector", "tokens", "statistics"]
Shapes = Mapping[str, tuple[int, ...]]


class Tokens(NamedTuple):
    """Weights as a sequence of T tokens of C values; sequences of all models are equally long.

    Attributes:
        values: [T, C] float32, 0 where there is no weight.
        mask: [T, C] bool, whether there is one. A token without any is padding.
        layer: [T] int64, number of the tensor in the `names` of the form, from 1; 0 is padding.
        position: [T] int64, place of the token within its tensor.
    """

    values: Tensor
    mask: Tensor
    layer: Tensor
    position: Tensor


class Form(Protocol):
    """From the tensors of a model to what a learner is given."""

    names: tuple[str, ...]

    def __call__(self, tensors: Mapping[str, Tensor]) -> Tensor | Tokens:
        """The features of one model."""


class Vector:
    """All weights [P] in the order of the tensors; for models of one shape."""

    def __init__(self, shapes: Sequence[Shapes]) -> None:
        """Take the shapes of the tensors of every kind of model.

        Raises:
            LearningError: they are not all the same.
        """
        if any(dict(other) != dict(shapes[0]) for other in shapes):
            sizes = sorted({sum(map(math.prod, of.values())) for of in shapes})
            raise LearningError(
                f"form: got vector for models of {len(shapes)} shapes ({sizes[0]} to {sizes[-1]} "
                f"numbers); allowed are tokens or statistics, or models of one shape, such as "
                f"those of open_zoo(...).sel(load=...)"
            )
        self.names = tuple(shapes[0])

    def __call__(self, tensors: Mapping[str, Tensor]) -> Tensor:
        """[P] float32."""
        return torch.cat([tensor.flatten() for tensor in tensors.values()])


class Chunks:
    """Every tensor cut into tokens of one length; the last of a tensor is filled up."""

    def __init__(self, shapes: Sequence[Shapes], chunk: int) -> None:
        """Take the shapes of the tensors of every kind of model, and the length of a token.

        Raises:
            LearningError: the length is not positive.
        """
        if chunk < 1:
            raise LearningError(f"chunk: got {chunk}, allowed is 1 or more values to a token")
        self.names = tuple(dict.fromkeys(name for of in shapes for name in of))
        self.chunk = chunk
        self.length = max(sum(-(-math.prod(s) // chunk) for s in of.values()) for of in shapes)
        self._layer = {name: i for i, name in enumerate(self.names, 1)}

    def __call__(self, tensors: Mapping[str, Tensor]) -> Tokens:
        """The tokens of one model, filled up to the longest."""
        values = torch.zeros(self.length, self.chunk)
        mask = torch.zeros(self.length, self.chunk, dtype=torch.bool)
        layer, position = torch.zeros(2, self.length, dtype=torch.int64)
        start = 0
        for name, tensor in tensors.items():
            size, tokens = tensor.numel(), -(-tensor.numel() // self.chunk)
            here = slice(start, start + tokens)
            values[here].view(-1)[:size] = tensor.flatten()
            mask[here].view(-1)[:size] = True
            layer[here], position[here] = self._layer[name], torch.arange(tokens)
            start += tokens
        return Tokens(values, mask, layer, position)


class Statistics:
    """The same numbers of every tensor whatever its size (`landscape.weight_statistics`)."""

    def __init__(self, shapes: Sequence[Shapes]) -> None:
        """Take the shapes of the tensors of every kind of model.

        Raises:
            LearningError: models have other tensors, so that their numbers do not correspond.
        """
        kinds = [list(_features(of)) for of in shapes]
        for kind in kinds:
            if kind != kinds[0]:
                one, *_ = sorted(set(kind) ^ set(kinds[0])) or [", ".join(kind)]
                raise LearningError(
                    f"form: got statistics for models with other tensors ({one}); allowed are "
                    f"tokens, or zoos of one architecture"
                )
        self.names = tuple(kinds[0])

    def __call__(self, tensors: Mapping[str, Tensor]) -> Tensor:
        """[F] float32, in the order of `names`."""
        found = torch.from_numpy(weight_statistics(tensors.values()))
        keep = [[has(tuple(t.shape), s) for s in STATISTICS] for t in tensors.values()]
        return found[torch.tensor(keep)].float()


def _features(shapes: Shapes) -> Iterator[str]:
    for name, shape in shapes.items():
        yield from (f"{name} {statistic}" for statistic in STATISTICS if has(shape, statistic))


def form_of(name: str, shapes: Sequence[Shapes], chunk: int) -> Form:
    """A form by name, for models with tensors of some shapes.

    Raises:
        LearningError: there is no such form, or the models do not have it.
    """
    match name:
        case "vector":
            return Vector(shapes)
        case "tokens":
            return Chunks(shapes, chunk)
        case "statistics":
            return Statistics(shapes)
        case _:
            raise LearningError(f"form: got {name!r}, allowed are vector, tokens, statistics")

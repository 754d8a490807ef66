"""The rule of views: the same entries in the same order, counted along other axes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from phasezoo.merging.permutation.inference.calls import Call, Outputs
from phasezoo.merging.permutation.inference.indices import (
    Concatenation,
    Expression,
    Product,
    product,
    split,
)
from phasezoo.merging.permutation.inference.values import Axes, Value, plain, stacked


def view(call: Call) -> Outputs:
    """The same entries in the same order, counted along other axes."""
    value, (shape,) = call.values[0], call.shapes
    if math.prod(shape) != math.prod(value.shape):
        return []  # numbers of another length
    if len(value.members) > 1:
        return [_view_of_members(value, shape, call.name)]
    return [_view(value.members[0], shape, call.name)]


def _view(axes: Axes, shape: Sequence[int], why: str) -> Value:
    """A view; parts of an axis that is split get indices of their own within."""
    whole = product(*axes)
    factors = whole.factors if isinstance(whole, Product) else (whole,)
    for position, factor in enumerate(factors):
        before, after = factors[:position], factors[position + 1 :]
        along = _start(product(*before).size, shape)
        if isinstance(factor, Concatenation) and along is not None:
            inner, odd = divmod(math.prod(shape[along + 1 :]), product(*after).size)
            if inner > 1 and not odd and not any(part.size % inner for part in factor.parts):
                members = (
                    _reshaped((*before, part, *after), _with(shape, along, part.size // inner), why)
                    for part in factor.parts
                )
                return stacked(tuple(members), along, why)
    return plain(_reshaped(factors, shape, why))


def _start(entries: int, shape: Sequence[int]) -> int | None:
    """The axis before which the lengths multiply to a number of entries."""
    for axis, size in enumerate(shape):
        if math.prod(shape[:axis]) == entries and size > 1:
            return axis
    return None


def _with(shape: Sequence[int], axis: int, size: int) -> list[int]:
    return [*shape[:axis], size, *shape[axis + 1 :]]


def _view_of_members(value: Value, shape: Sequence[int], why: str) -> Value:
    """Members stay apart where the axis along which they lie goes on from where it began."""
    before, length = math.prod(value.shape[: value.along]), value.shape[value.along]
    along = _start(before, shape)
    if along is None or shape[along] % length:
        return plain(_reshaped(value.joined(why), shape, why))
    times = shape[along] // length
    members = (
        _reshaped(member, _with(shape, along, member[value.along].size * times), why)
        for member in value.members
    )
    return stacked(tuple(members), along, why)


def _reshaped(factors: Sequence[Expression], shape: Sequence[int], why: str) -> Axes:
    rest, found = product(*factors), list[Expression]()
    for size in reversed(shape):
        rest, last = split(rest, size, why)
        found.insert(0, last)
    return tuple(found)

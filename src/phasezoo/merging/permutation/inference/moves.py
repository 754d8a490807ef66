"""Rules of operations that bring entries elsewhere and compute nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from phasezoo.merging.permutation.inference.calls import Call, Outputs
from phasezoo.merging.permutation.inference.elementwise import dimensions
from phasezoo.merging.permutation.inference.indices import (
    ONE,
    concatenation,
    cut,
    fix,
    index,
    product,
    unify,
)
from phasezoo.merging.permutation.inference.values import Axes, Value, plain, stacked


def permute(call: Call) -> Outputs:
    """Axes in another order."""
    value = call.values[0]
    rank = len(value.members[0])
    return [_ordered(value, [axis % rank for axis in call["dims"]])]


def transpose(call: Call) -> Outputs:
    """Two axes exchanged."""
    value = call.values[0]
    order = list(range(len(value.members[0])))
    a, b = ((call[name] or 0) % len(order) for name in ("dim0", "dim1"))
    order[a], order[b] = order[b], order[a]
    return [_ordered(value, order)]


def t(call: Call) -> Outputs:
    """A matrix transposed."""
    value = call.values[0]
    return [_ordered(value, list(reversed(range(len(value.members[0])))))]


def _ordered(value: Value, order: Sequence[int]) -> Value:
    to = order.index(value.along) if order else 0
    return value.each(lambda axes: tuple(axes[axis] for axis in order), to)


def unsqueeze(call: Call) -> Outputs:
    """A new axis of one entry."""
    value = call.values[0]
    at = call["dim"] % (len(value.members[0]) + 1)
    to = value.along + (value.along >= at)
    return [value.each(lambda axes: (*axes[:at], ONE, *axes[at:]), to)]


def squeeze(call: Call) -> Outputs:
    """Axes of one entry left out."""
    value = call.values[0]
    rank = len(value.members[0])
    chosen = dimensions(call["dim"], rank)
    gone = [axis for axis in chosen if value.shape[axis] == 1]
    to = value.along - sum(axis < value.along for axis in gone)
    kept = [axis for axis in range(rank) if axis not in gone]
    return [value.each(lambda axes: tuple(axes[axis] for axis in kept), max(to, 0))]


def expand(call: Call) -> Outputs:
    """Entries repeated along an axis, which any permutation of the repetitions leaves alone."""
    value, (shape,) = call.values[0], call.shapes
    new = len(shape) - len(value.shape)
    before = (*[0] * new, *value.shape)
    fresh = [None if n == was else index(n) for n, was in zip(shape, before, strict=True)]

    def move(axes: Axes) -> Axes:
        found = (*[ONE] * new, *axes)
        return tuple(repeated or axis for repeated, axis in zip(fresh, found, strict=True))

    return [value.each(move, value.along + new)]


def repeat(call: Call) -> Outputs:
    """Whole axes one after the other, again and again."""
    axes, times = call.axes("self"), call["repeats"]
    found = (*[ONE] * (len(times) - len(axes)), *axes)
    return [plain([product(index(n), axis) for n, axis in zip(times, found, strict=True)])]


def select(call: Call) -> Outputs:
    """One entry of an axis."""
    value = call.values[0]
    axis = call["dim"] % len(value.shape)
    at = call["index"] % value.shape[axis]
    return [_without(_taken(value, axis, at, at + 1, call.name), axis)]


def slice_(call: Call) -> Outputs:
    """Entries of an axis from one on, up to another."""
    value, step = call.values[0], call["step"] or 1
    axis = (call["dim"] or 0) % len(value.shape)
    size = value.shape[axis]
    start, stop, _ = slice(call["start"], call["end"]).indices(size)
    if step == 1:
        return [_taken(value, axis, start, max(stop, start), call.name)]
    axes = list(value.joined(call.name))
    fix(axes[axis], call.name)
    axes[axis] = index(len(range(start, stop, step)), call.name)
    return [plain(axes)]


def split_(call: Call) -> Outputs:
    """Parts of an axis, one after the other."""
    value = call.values[0]
    axis, start, parts = (call["dim"] or 0) % len(value.shape), 0, []
    for shape in call.shapes:
        parts.append(_taken(value, axis, start, start + shape[axis], call.name))
        start += shape[axis]
    return parts


def unbind(call: Call) -> Outputs:
    """Every entry of an axis by itself."""
    value = call.values[0]
    axis = (call["dim"] or 0) % len(value.shape)
    entries = range(len(call.shapes))
    return [_without(_taken(value, axis, i, i + 1, call.name), axis) for i in entries]


def _taken(value: Value, axis: int, start: int, stop: int, why: str) -> Value:
    """Entries of an axis; those of one member stay a value of one member."""
    if len(value.members) > 1 and axis != value.along:
        return value.each(_part_of(axis, start, stop, why), value.along)
    members, begin = [], 0
    for member in value.members:
        end = begin + member[axis].size
        if start < end and stop > begin:
            first, last = max(start, begin) - begin, min(stop, end) - begin
            members.append(_part_of(axis, first, last, why)(member))
        begin = end
    if not members:
        members = [_part_of(axis, 0, 0, why)(value.members[0])]
    return stacked(members, axis, why)


def _part_of(axis: int, start: int, stop: int, why: str) -> Callable[[Axes], Axes]:
    def part(axes: Axes) -> Axes:
        _, rest = cut(axes[axis], start, why)
        taken, _ = cut(rest, stop - start, why)
        return (*axes[:axis], taken, *axes[axis + 1 :])

    return part


def _without(value: Value, axis: int) -> Value:
    to = value.along - (axis < value.along)
    return value.each(lambda axes: axes[:axis] + axes[axis + 1 :], to)


def cat(call: Call) -> Outputs:
    """Tensors one after the other along an axis."""
    found = [value.joined(call.name) for value in call.values if value.shape != (0,)]
    axis = (call["dim"] or 0) % len(found[0])
    for other in found[1:]:
        for a, (one, its) in enumerate(zip(found[0], other, strict=True)):
            if a != axis:
                unify(one, its, call.name)
    whole = concatenation(*(axes[axis] for axes in found))
    return [plain([whole if a == axis else one for a, one in enumerate(found[0])])]


def pad(call: Call) -> Outputs:
    """One number before and after the entries of some axes."""
    axes, widths = list(call.axes("self")), list(call["pad"])
    for back, (before, after) in enumerate(zip(widths[::2], widths[1::2], strict=True), start=1):
        axis = axes[-back]
        if before < 0 or after < 0:
            fix(axis, call.name)
            axes[-back] = index(axis.size + before + after, call.name)
        else:
            axes[-back] = concatenation(index(before), axis, index(after))
    return [plain(axes)]

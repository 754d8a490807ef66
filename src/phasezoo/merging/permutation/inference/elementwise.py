"""Rules of operations that treat all entries of an axis alike, or each by itself."""

from __future__ import annotations

from collections.abc import Sequence

from phasezoo.merging.permutation.inference.calls import Call, Outputs
from phasezoo.merging.permutation.inference.indices import (
    ONE,
    Expression,
    fix,
    index,
    split,
    unify,
)
from phasezoo.merging.permutation.inference.values import Axes, plain

_WHERE = {"aten.max", "aten.min"}  # which also say where, if asked along an axis
_PLACES = {"aten.argmax", "aten.argmin"}


def uniform(call: Call) -> Outputs:
    """One number everywhere: any permutation leaves it as it is."""
    return [plain([index(size) for size in shape]) for shape in call.shapes]


def same(call: Call) -> Outputs:
    """The tensor itself."""
    return call.values[:1]


def pointwise(call: Call) -> Outputs:
    """Each entry by itself: what is broadcast together is permuted together."""
    values, (shape, *_) = call.values, call.shapes
    if len(values) == 1 and values[0].shape == shape:
        return values * len(call.shapes)
    found = broadcast([value.joined(call.name) for value in values], shape, call.name)
    return [plain(found)] * len(call.shapes)


def broadcast(values: Sequence[Axes], shape: Sequence[int], why: str) -> Axes:
    """The axes of tensors that are broadcast to a shape, which are permuted alike."""
    found: list[Expression] = []
    for back in range(len(shape), 0, -1):
        here = [axes[-back] for axes in values if len(axes) >= back and axes[-back].size > 1]
        for other in here[1:]:
            unify(here[0], other, why)
        found.append(here[0] if here else ONE)
    return tuple(found)


def reduction(call: Call) -> Outputs:
    """Sums, means and the like, which do not see the order; those that say a place do."""
    axes = call.values[0].joined(call.name)
    gone = dimensions(call["dim"], len(axes))
    if (len(call.shapes) > 1 and call.name in _WHERE) or call.name in _PLACES:
        for axis in gone:
            fix(axes[axis], call.name)
    if call["keepdim"]:
        kept = [ONE if a in gone else axis for a, axis in enumerate(axes)]
    else:
        kept = [axis for a, axis in enumerate(axes) if a not in gone]
    return [plain(kept)] * len(call.shapes)


def softmax(call: Call) -> Outputs:
    """Divided by a sum along one axis, for each entry of the others."""
    axes = call.axes("self")
    gone = dimensions(call["dim"], len(axes))
    call.note([axis for a, axis in enumerate(axes) if a not in gone])
    return [plain(axes)]


def ordered(call: Call) -> Outputs:
    """What sees the order along some axes, such as cumulated sums."""
    axes = call.axes("self")
    given = call["dims"] if call["dim"] is None else call["dim"]
    for axis in dimensions(given, len(axes)):
        fix(axes[axis], call.name)
    return [plain(axes)]


def layer_norm(call: Call) -> Outputs:
    """Mean and deviation over the last axes, for each entry of the first."""
    axes, count = call.axes("input"), len(call["normalized_shape"])
    first, last = axes[:-count], axes[-count:]
    for name in ("weight", "bias"):
        if call.has(name):
            broadcast([last, call.axes(name)], [axis.size for axis in last], call.name)
    call.note(first)
    statistics = plain([*first, *[ONE] * count])
    return [plain(axes), statistics, statistics]


def group_norm(call: Call) -> Outputs:
    """Mean and deviation over groups of channels and all places, for each sample."""
    axes = call.axes("input")
    samples, channels = axes[:2]
    groups, _ = split(channels, channels.size // call["group"], call.name)
    _per_channel(call, channels)
    statistics = [samples, groups if call["group"] > 1 else ONE]
    return [plain(axes), plain(statistics), plain(statistics)]


def batch_norm(call: Call) -> Outputs:
    """Mean and deviation of each channel: those that are kept, or those over all samples."""
    axes = call.axes("input")
    _per_channel(call, axes[1])
    empty = plain([index(0, call.name)])
    kept = [plain([axes[1]]) if shape == (axes[1].size,) else empty for shape in call.shapes[1:]]
    return [plain(axes), *kept]


def _per_channel(call: Call, channels: Expression) -> None:
    for name in ("weight", "bias", "running_mean", "running_var"):
        if call.has(name):
            unify(channels, call.axes(name)[0], call.name)


def dimensions(given: int | Sequence[int] | None, rank: int) -> list[int]:
    """Axes counted from the front; all if none are given."""
    chosen = [given] if isinstance(given, int) else given or range(rank)
    return [axis % rank for axis in chosen] if rank else []

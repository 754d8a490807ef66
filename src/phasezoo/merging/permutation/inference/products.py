"""Rules of products: sums over an axis of two tensors, which are permuted alike along it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from phasezoo.merging.permutation.inference.calls import Call, Outputs
from phasezoo.merging.permutation.inference.elementwise import broadcast
from phasezoo.merging.permutation.inference.indices import (
    Expression,
    fix,
    index,
    product,
    split,
    unify,
)
from phasezoo.merging.permutation.inference.values import Axes, plain


def matrices(call: Call) -> Outputs:
    """Products of matrices and vectors, one or a stack of them, and what is added."""
    tensors = [value.joined(call.name) for value in call.values]
    *added, left, right = tensors
    unify(left[-1], right[0] if len(right) == 1 else right[-2], call.name)
    stack = broadcast([left[:-2], right[:-2]], call.shapes[0][:-2], call.name)
    found = (*stack, *left[-2:-1], *right[len(right) - 1 :]) if len(right) > 1 else left[:-1]
    return [plain(broadcast([found, *added], call.shapes[0], call.name))]


def convolution(call: Call) -> Outputs:
    """Channels are contracted, group by group; places have their order."""
    (samples, channels, *places), weight = call.axes("input"), call.axes("weight")
    for axis in (*places, *weight[2:]):
        fix(axis, call.name)
    contract = _transposed if call["transposed"] else _contracted
    made = contract(channels, weight, call["groups"], call.name)
    if call.has("bias"):
        unify(made, call.axes("bias")[0], call.name)
    return [plain([samples, made, *_fixed(call.shapes[0][2:], call.name)])]


def _contracted(channels: Expression, weight: Axes, groups: int, why: str) -> Expression:
    """The channels made by a weight [groups made, taken, ...]."""
    group, taken = split(channels, channels.size // groups, why)
    unify(taken, weight[1], why)
    unify(group, split(weight[0], weight[0].size // groups, why)[0], why)
    return weight[0]


def _transposed(channels: Expression, weight: Axes, groups: int, why: str) -> Expression:
    """The channels made by a weight [groups taken, made, ...]."""
    unify(channels, weight[0], why)
    group, _ = split(channels, channels.size // groups, why)
    return product(group, weight[1])


def embedding(call: Call) -> Outputs:
    """Rows of a matrix, which are found by their places."""
    rows, *columns = call.axes("weight")
    fix(rows, call.name)
    return [plain([*call.axes("indices"), *columns])]


def lookup(call: Call) -> Outputs:
    """Entries that are found by their places along some axes."""
    axes, places = call.axes("self"), call["indices"]
    at = [axis for axis, place in enumerate(places) if place is not None]
    for axis in at:
        fix(axes[axis], call.name)
    kept = [axis for a, axis in enumerate(axes) if a not in at]
    found = [place.joined(call.name) for place in places if place is not None]
    rank = max(len(f) for f in found)
    together = at == list(range(at[0], at[-1] + 1))
    start = at[0] if together else 0
    chosen = broadcast(found, call.shapes[0][start : start + rank], call.name)
    return [plain([*kept[:start], *chosen, *kept[start:]])]


def picked(call: Call) -> Outputs:
    """Entries of one axis, found by their places."""
    axes = list(call.axes("self"))
    axis = call["dim"] % len(axes)
    fix(axes[axis], call.name)
    axes[axis] = call.axes("index")[0]
    return [plain(axes)]


def places(call: Call) -> Outputs:
    """Pooling and resampling: the last axes have their order, the others are each by itself."""
    axes, count = call.values[0].joined(call.name), _count(call.name)
    for axis in axes[-count:]:
        fix(axis, call.name)
    return [plain([*axes[:-count], *_fixed(s[-count:], call.name)]) for s in call.shapes]


def _count(name: str) -> int:
    """How many axes a name such as ``max_pool2d_with_indices`` speaks of."""
    return int(re.findall(r"(\d)d", name)[-1])


def _fixed(sizes: Sequence[int], why: str) -> Iterator[Expression]:
    return (index(size, why) for size in sizes)

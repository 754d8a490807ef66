"""Reading a graph: what is known of the axes of a module's tensors once every operation is seen."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, fx
from torch._ops import OpOverload
from torch.utils._pytree import tree_flatten, tree_map

from phasezoo.merging.permutation.inference.calls import Call
from phasezoo.merging.permutation.inference.indices import (
    Concatenation,
    Expression,
    Product,
    concatenation,
    fix,
    index,
    product,
    resolved,
    why_fixed,
)
from phasezoo.merging.permutation.inference.rules import MOVES, UNIFORM, name_of, rule_of
from phasezoo.merging.permutation.inference.trace import Trace
from phasezoo.merging.permutation.inference.values import Axes, Value, plain

_READINGS = 9  # each may find axes to be cut before they are multiplied out

Place = tuple[str, int]  # a tensor and one of its axes


@dataclass
class Reading:
    """What one passage through a graph found.

    Attributes:
        tensors: axes of every parameter and buffer.
        occurrences: axes of every value of the graph that may differ from entry to entry.
        uses: of every operation that computes, the axes of what it takes, and of what it makes.
    """

    tensors: dict[str, Axes] = field(default_factory=dict)
    occurrences: list[Axes] = field(default_factory=list)
    uses: list[tuple[Axes, Axes]] = field(default_factory=list)

    def note(self, axes: Sequence[Expression]) -> None:
        """Remember that these axes stand together on one tensor."""
        self.occurrences.append(tuple(axes))


def read(trace: Trace, constants: Mapping[str, str]) -> Reading:
    """Axes of all tensors, after as many passages as it takes.

    A passage may learn that an axis [3, heads, ...] is cut into queries, keys and values only after
    their heads were taken for one index. The next one begins with the three apart.

    Args:
        trace: the graph.
        constants: tensors that are not permuted, and why.
    """
    start: dict[Place, Expression] = {}
    for _ in range(_READINGS):
        reading = _passage(trace, constants, start)
        finer = {
            (tensor, axis): apart
            for tensor, axes in reading.tensors.items()
            for axis, expression in enumerate(axes)
            if (apart := _apart(resolved(expression))) is not None
        }
        if not finer:
            break
        start |= finer
    return reading


def _passage(
    trace: Trace, constants: Mapping[str, str], start: Mapping[Place, Expression]
) -> Reading:
    reading, known = Reading(), dict[fx.Node, Any]()
    for tensor, node in trace.tensors.items():
        shape, why = node.meta["val"].shape, constants.get(tensor)
        found = [_fresh(start.get((tensor, a)), n, why) for a, n in enumerate(shape)]
        reading.tensors[tensor] = tuple(found)
        known[node] = plain(found)
    for node in trace.graph.nodes:
        if node not in known:
            known[node] = _value(node, known, reading)
    reading.occurrences += reading.tensors.values()
    return reading


def _fresh(start: Expression | None, size: int, why: str | None) -> Expression:
    """New indices in the form that an axis is known to have."""
    match start:
        case Product(factors):
            return product(*(_fresh(factor, factor.size, why) for factor in factors))
        case Concatenation(parts):
            return concatenation(*(_fresh(part, part.size, why) for part in parts))
    return index(size, why)


def _apart(expression: Expression) -> Expression | None:
    """A product with concatenations among its factors as a concatenation of products.

    Only what follows such a factor is taken apart: heads of which each has queries, keys and values
    stay heads. None if there is nothing to take apart.
    """
    match expression:
        case Product(factors):
            for position, factor in enumerate(factors[:-1]):
                rest = product(*factors[position + 1 :])
                if isinstance(factor, Concatenation) and not why_fixed(rest):
                    parts = (index(part.size * rest.size) for part in factor.parts)
                    return product(*factors[:position], concatenation(*parts))
            inner = [_apart(factor) for factor in factors]
            if any(inner):
                return product(*(i or f for i, f in zip(inner, factors, strict=True)))
        case Concatenation(parts):
            inner = [_apart(part) for part in parts]
            if any(inner):
                return concatenation(*(i or p for i, p in zip(inner, parts, strict=True)))
    return None


def _value(node: fx.Node, known: Mapping[fx.Node, Any], reading: Reading) -> Any:
    match node.op:
        case "placeholder" | "get_attr":
            why = "the input" if node.op == "placeholder" else "a constant"
            return tree_map(lambda t: _constant(t, why), node.meta.get("val"))
        case "output":
            for value in _inputs(node.args, known):
                for axis in value.joined("the output"):
                    fix(axis, "the output")
            return None
        case "call_function" if node.target is operator.getitem:
            values, position = node.args
            return known[values][position]  # type: ignore[index]
    return _called(node, known, reading)


def _constant(tensor: Any, why: str) -> Value | None:
    return plain([index(n, why) for n in tensor.shape]) if isinstance(tensor, Tensor) else None


def _inputs(arguments: Any, known: Mapping[fx.Node, Any]) -> Iterator[Value]:
    for node in tree_flatten(arguments)[0]:
        if isinstance(node, fx.Node):
            yield from (v for v in tree_flatten(known[node])[0] if isinstance(v, Value))


def _called(node: fx.Node, known: Mapping[fx.Node, Any], reading: Reading) -> Any:
    """Values of the outputs by the rule of an operation; all is fixed where it has none."""
    operation = node.target
    made = [t for t in tree_flatten(node.meta.get("val"))[0] if isinstance(t, Tensor)]
    shapes = tuple(tuple(t.shape) for t in made)
    values: list[Value] | None = None
    if isinstance(operation, OpOverload) and (rule := rule_of(operation)):
        call = Call(name_of(operation), _arguments(node, operation, known), shapes, reading.note)
        values = list(rule(call))
    if values is None or [v.shape for v in values] != list(shapes):
        name = name_of(operation) if isinstance(operation, OpOverload) else str(operation)
        for value in _inputs((node.args, node.kwargs), known):
            for axis in value.joined(name):
                fix(axis, name)
        values = [plain([index(n, name) for n in shape]) for shape in shapes]
    elif call.name not in UNIFORM:
        reading.occurrences += _members(values)
        if call.name not in MOVES:
            reading.uses.append((_together(call.values), _together(values)))
    single = isinstance(node.meta.get("val"), Tensor)
    return values[0] if single else values


def _members(values: Sequence[Value]) -> list[Axes]:
    return [member for value in values for member in value.members]


def _together(values: Sequence[Value]) -> Axes:
    return tuple(axis for member in _members(values) for axis in member)


def _arguments(
    node: fx.Node, operation: OpOverload, known: Mapping[fx.Node, Any]
) -> dict[str, Any]:
    """By the names of the schema, with values in the place of nodes."""
    schema = operation._schema.arguments
    given = {a.name: v for a, v in zip(schema, node.args, strict=False)} | node.kwargs
    defaults = {a.name: a.default_value for a in schema if a.has_default_value()}
    return {
        name: fx.node.map_arg(value, lambda n: known[n])
        for name, value in (defaults | given).items()
    }

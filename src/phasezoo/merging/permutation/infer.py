"""The permutation spec of a module: read off its graph, and proved.

What is found are permutations of units, heads as blocks and the dimensions within each, of every
module whose graph does not depend on the values of its inputs. An axis that an operation without
a rule sees is not permuted: symmetries may be missed, none is made up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product as combinations

from torch import nn

from phasezoo import rng
from phasezoo.merging.permutation.inference import indices
from phasezoo.merging.permutation.inference.indices import Expression, Index, leaves, resolved
from phasezoo.merging.permutation.inference.read import Reading, read
from phasezoo.merging.permutation.inference.trace import Example, trace
from phasezoo.merging.permutation.proof import prove_anywhere
from phasezoo.merging.permutation.spec import Axis, Cut, Part, PermutationSpec, Product, Sum


@dataclass(frozen=True)
class Inference:
    """A spec, and why the other axes are not permuted.

    Attributes:
        spec: of all parameters and buffers.
        fixed: (tensor, axis) -> what keeps its entries, or some of them, in their places: the
            input, the output, or the operation that sees their order or has no rule.
    """

    spec: PermutationSpec
    fixed: Mapping[tuple[str, int], str]


def infer(module: nn.Module, example: Example) -> PermutationSpec:
    """The permutations that leave the function of a module alone, proved on random weights.

    Args:
        module: any; it stays as it is.
        example: what it is called with: a tensor, or a tuple of tensors.

    Raises:
        AlignmentError: it cannot be traced, or the proof fails.
    """
    spec = explain(module, example).spec
    prove_anywhere(spec, module, example, rng.generator("infer"))
    return spec


def explain(module: nn.Module, example: Example) -> Inference:
    """The spec that a graph says, not proved, and what keeps the other axes in their places.

    Buffers that a checkpoint does not hold are made by the constructor, alike for all models;
    they are not permuted.

    Raises:
        AlignmentError: the module cannot be traced.
    """
    kept = module.state_dict().keys()
    constants = {
        name: "not in checkpoints" for name, _ in module.named_buffers() if name not in kept
    }
    reading = read(trace(module, example), constants)
    _fix_unused(reading)
    names = _names(reading)
    axes = {t: tuple(_axis(e, names) for e in of) for t, of in reading.tensors.items() if of}
    fixed = {
        (tensor, axis): reason
        for tensor, of in reading.tensors.items()
        for axis, expression in enumerate(of)
        if (reason := next((leaf.fixed for leaf in leaves(expression) if leaf.fixed), None))
    }
    return Inference(PermutationSpec(axes, _within(reading, names)), fixed)


def _fix_unused(reading: Reading) -> None:
    """What no product or sum takes up does not reach the output from this example, or never."""
    taken = {leaf for inputs, outputs in reading.uses for leaf in _all(inputs) - _all(outputs)}
    for axes in reading.tensors.values():
        for leaf in _all(axes) - taken:
            leaf.fixed = leaf.fixed or "not used"


def _all(axes: Iterable[Expression]) -> set[Index]:
    return {leaf for axis in axes for leaf in leaves(axis)}


def _names(reading: Reading) -> dict[Index, str]:
    """Each free index is named after the first tensor it stands on; further ones are numbered."""
    names: dict[Index, str] = {}
    for tensor, axes in reading.tensors.items():
        layer, count = tensor.rpartition(".")[0] or tensor, 0
        for leaf in (leaf for axis in axes for leaf in leaves(axis)):
            if leaf.fixed is None and leaf not in names:
                while (name := f"{layer}/{count}" if count else layer) in names.values():
                    count += 1
                names[leaf] = name
    return names


def _axis(expression: Expression, names: Mapping[Index, str]) -> Axis:
    match _cut(resolved(expression), names):
        case Part(name):
            return name
        case cut:
            return cut


def _cut(expression: Expression, names: Mapping[Index, str]) -> Cut:
    """An axis in the terms of a spec, cut no further than permutations ask for."""
    match expression:
        case Index(size):
            return Part(names.get(expression), size)
        case indices.Product(inner) | indices.Concatenation(inner):
            cuts = [_cut(one, names) for one in inner]
            if all(cut == Part(None, cut.size) for cut in cuts):
                return Part(None, expression.size)
            return (
                Product(tuple(cuts))
                if isinstance(expression, indices.Product)
                else Sum(tuple(cuts))
            )


def _within(reading: Reading, names: Mapping[Index, str]) -> dict[str, tuple[str, ...]]:
    """A permutation may depend on those that stand beside it on every value of the graph.

    Of two that always stand together, the first is not within the other.
    """
    named, beside = frozenset(names), dict[Index, frozenset[Index]]()
    for entry in {entry & named for axes in reading.occurrences for entry in _entries(axes)}:
        for leaf in entry:
            beside[leaf] = beside.get(leaf, entry) & entry
    order = {leaf: position for position, leaf in enumerate(names)}
    outer = {
        leaf: {o for o in others - {leaf} if leaf not in beside[o] or order[o] < order[leaf]}
        for leaf, others in beside.items()
    }
    return {
        name: tuple(names[o] for o in sorted(found, key=lambda o: (len(outer[o]), order[o])))
        for leaf, name in names.items()
        if (found := outer[leaf])
    }


def _entries(axes: tuple[Expression, ...]) -> Iterator[frozenset[Index]]:
    """For each part of a tensor, the indices that number its entries."""
    for chosen in combinations(*(_alternatives(resolved(axis)) for axis in axes)):
        yield frozenset().union(*chosen)


def _alternatives(expression: Expression) -> set[frozenset[Index]]:
    match expression:
        case Index():
            return {frozenset([expression])}
        case indices.Product(factors):
            every = combinations(*map(_alternatives, factors))
            return {frozenset[Index]().union(*chosen) for chosen in every}
        case indices.Concatenation(parts):
            return set().union(*map(_alternatives, parts))

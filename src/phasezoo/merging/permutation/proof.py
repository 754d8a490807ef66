"""The proof of a spec: random permutations leave the function alone; if not, what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product as combinations
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils._pytree import tree_map

from phasezoo.landscape.network import Network
from phasezoo.merging.permutation.act import Permutations, cycles, permute, permuted
from phasezoo.merging.permutation.inference.trace import Example, evaluating, tensors_in, tensors_of
from phasezoo.merging.permutation.inference.wide import wide
from phasezoo.merging.permutation.spec import (
    AlignmentError,
    Axes,
    Axis,
    PermutationSpec,
    Product,
    Sum,
    names_in,
)
from phasezoo.models.flat import Layout, Weights, buffer_layout, parameter_layout

Change = Callable[[PermutationSpec, Permutations], float]  # of outputs, relative to the largest
_SMALL = 1e-8  # float64; exact symmetries change the outputs of deep networks by less than 1e-11


def prove(
    network: Network,
    spec: PermutationSpec,
    weights: Weights,
    inputs: Tensor,
    generator: torch.Generator,
    tolerance: float = 1e-4,
) -> None:
    """Check on `inputs` that random permutations which move every unit leave the function alone.

    Compared are its values, not what the objective makes of them: residuals of an equation are
    differences of large derivatives, whose rounding says nothing about the spec. A model so far out
    that its outputs overflow proves nothing, and is passed over.

    Raises:
        AlignmentError: a tensor is not covered by the spec, or the outputs differ by more than
            `tolerance` relative to their largest; it names the tensor that is permuted wrongly.
    """
    layout = _covered(network.module, spec)
    before = network.features(weights, inputs)
    if not before.isfinite().all():
        return

    def change(tried: PermutationSpec, by: Permutations) -> float:
        after = network.features(permute(network, tried, weights, by), inputs)
        return _difference([before], [after])

    _refuse(spec, cycles(spec, layout, generator), layout, change, tolerance)


def prove_anywhere(
    spec: PermutationSpec,
    module: nn.Module,
    example: Example,
    generator: torch.Generator,
    draws: int = 2,
) -> float:
    """The largest relative change of outputs under random permutations, in float64.

    Weights, affine parameters and statistics are random around those of the module, so that no
    symmetry is one of its values alone.

    Args:
        spec: of the module.
        module: it stays as it is.
        example: what it is called with.
        generator: draws weights and permutations.
        draws: how many of both.

    Raises:
        AlignmentError: a tensor is not covered by the spec, the outputs change, or they are not
            finite, so that nothing is proved.
    """
    layout, inputs, largest = _covered(module, spec), _wide(example), 0.0
    for _ in range(draws):
        tensors = {name: _near(t, generator) for name, t in tensors_of(module).items()}
        before = _outputs(module, tensors, inputs)

        def change(
            tried: PermutationSpec,
            by: Permutations,
            tensors: dict[str, Tensor] = tensors,
            before: list[Tensor] = before,
        ) -> float:
            return _difference(before, _outputs(module, permuted(tried, tensors, by), inputs))

        if not all(output.isfinite().all() for output in before):
            raise AlignmentError(f"{type(module).__name__}: outputs of random weights overflow")
        by = cycles(spec, layout, generator)
        largest = max(largest, _refuse(spec, by, layout, change, _SMALL))
    return largest


def _covered(module: nn.Module, spec: PermutationSpec) -> Layout:
    """Shapes of parameters and buffers, all of which the spec must speak of."""
    layout = Layout(parameter_layout(module).slots + buffer_layout(module).slots)
    for slot in layout.slots:
        if slot.shape and slot.name not in spec.axes:
            raise AlignmentError(f"{slot.name}: not in the permutation spec")
    return layout


def _wide(values: Any) -> Any:
    return tree_map(lambda t: t.double() if t.is_floating_point() else t, values)


def _near(tensor: Tensor, generator: torch.Generator) -> Tensor:
    """Random numbers of the size of those of a tensor; where none is negative, they stay so."""
    if not tensor.is_floating_point():
        return tensor
    given = tensor.detach().double()

    def noise() -> Tensor:
        drawn = torch.randn(given.shape, dtype=torch.float64, generator=generator)
        return 0.3 * drawn.to(given.device)

    found: Tensor = noise().exp_().mul_(given)
    if (given <= 0).any():
        found += noise() * (given.std(correction=0).item() or 0.1)
    return found


def _outputs(module: nn.Module, tensors: dict[str, Tensor], inputs: Any) -> list[Tensor]:
    given = inputs if isinstance(inputs, tuple) else (inputs,)
    with evaluating(module), torch.no_grad(), wide():
        found = functional_call(module, tensors, given)
    return [output.double() for output in tensors_in(found)]


def _difference(before: list[Tensor], after: list[Tensor]) -> float:
    pairs = list(zip(before, after, strict=True))
    changed = max((b - a).abs().max().item() for b, a in pairs)
    return changed / max(1e-12, *(b.abs().max().item() for b, _ in pairs))


def _refuse(
    spec: PermutationSpec, by: Permutations, layout: Layout, change: Change, tolerance: float
) -> float:
    found = change(spec, by)
    if not found <= tolerance:
        shapes = {slot.name: slot.shape for slot in layout.slots}
        tensor, name = _guilty(spec, by, shapes, change, tolerance)
        raise AlignmentError(
            f"{tensor}: permuted wrongly by {name}, outputs change by {found:.1e}, "
            f"allowed is {tolerance:.0e}"
        )
    return found


def _guilty(
    spec: PermutationSpec,
    by: Permutations,
    shapes: Mapping[str, tuple[int, ...]],
    change: Change,
    tolerance: float,
) -> tuple[str, str]:
    """The tensor that, permuted otherwise, mends most of what one permutation changes."""
    alone = {name: change(spec, {name: by[name]}) for name in spec.names}
    name = max(alone, key=lambda n: alone[n])
    left: dict[str, float] = {}
    for tensor in dict.fromkeys((*(t for t, _ in spec.places(name)), *spec.axes)):
        changes = (
            change(PermutationSpec({**spec.axes, tensor: axes}, spec.within), {name: by[name]})
            for axes in _otherwise(spec, name, tensor, shapes)
        )
        left[tensor] = min(changes, default=alone[name])
        if left[tensor] <= tolerance:
            break
    return min(left, key=lambda t: left[t]), name


def _otherwise(
    spec: PermutationSpec, name: str, tensor: str, shapes: Mapping[str, tuple[int, ...]]
) -> Iterator[Axes]:
    """The axes of a tensor, a permutation left out or put in as it stands on others of a size."""
    places = spec.places(name)
    forms = dict.fromkeys(
        form for t, axis in places for form in _forms(spec.axes[t][axis], shapes[t][axis], name)
    )
    choices: list[list[Axis]] = []
    for axis, (given, size) in enumerate(zip(spec.axes[tensor], shapes[tensor], strict=True)):
        fit = [form for form, of in forms if of == size and form != given]
        out: list[Axis] = [None] if (tensor, axis) in places else []
        choices.append([given, *out, *fit])
    every = combinations(*choices)
    next(every)  # as it is
    yield from every


def _forms(axis: Axis, size: int, name: str) -> Iterator[tuple[Axis, int]]:
    """How a permutation stands on an axis, and on each part of it."""
    if name in names_in(axis):
        yield axis, size
        match axis:
            case Product(inner) | Sum(inner):
                for one in inner:
                    yield from _forms(one, one.size, name)

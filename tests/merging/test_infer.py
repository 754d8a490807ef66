"""Specs read off graphs: those written out by hand, symmetries that are counted, and refusals."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from merging import modules
from models.every import CASES, Case, every
from phasezoo import rng
from phasezoo.merging.permutation import (
    AlignmentError,
    Axis,
    Part,
    PermutationSpec,
    Product,
    Sum,
    explain,
    infer,
    permutation_spec,
    prove_anywhere,
)

POINTS, TOKENS = torch.randn(2, 5), torch.randn(2, 7, 5)
IMAGES = torch.randn(2, 2, 8, 8)


def proof(spec: PermutationSpec, module: nn.Module, example: object, draws: int = 3) -> float:
    return prove_anywhere(spec, module, example, rng.generator("proof"), draws)  # type: ignore[arg-type]


def canonical(spec: PermutationSpec) -> tuple[object, object]:
    """A spec with its permutations numbered in the order of the tensors' names."""
    ordered = PermutationSpec({tensor: spec.axes[tensor] for tensor in sorted(spec.axes)})
    number = {name: str(position) for position, name in enumerate(ordered.names)}

    def renamed(axis: Axis) -> Axis:
        match axis:
            case str():
                return number[axis]
            case Part(name, size):
                return Part(name and number[name], size)
            case Product(factors):
                return Product(tuple(renamed(f) for f in factors))  # type: ignore[misc]
            case Sum(parts):
                return Sum(tuple(renamed(p) for p in parts))  # type: ignore[misc]
        return None

    axes = {tensor: tuple(renamed(axis) for axis in of) for tensor, of in ordered.axes.items()}
    return axes, {number[n]: {number[o] for o in outer} for n, outer in spec.within.items()}


def written_out(case: Case) -> PermutationSpec:
    """The spec of an architecture by hand."""
    name = case.architecture.name
    if name not in {"vit", "gpt-2", "gpt-2-classifier", "roberta"}:
        return permutation_spec(case.module())
    axes: dict[str, tuple[Axis, ...]] = {"norm.weight": ("d",), "norm.bias": ("d",)}
    within = {}
    for block in (f"blocks.{i}" for i in range(case.architecture.depth)):
        heads, hidden = f"{block}.heads", f"{block}.hidden"
        qk, v = (Product((Part(heads, 3), Part(f"{heads}.{name}", 2))) for name in ("qk", "values"))
        within |= {f"{heads}.qk": (heads,), f"{heads}.values": (heads,)}
        axes |= {
            f"{block}.attention.qkv.weight": (Sum((qk, qk, v)), "d"),
            f"{block}.attention.qkv.bias": (Sum((qk, qk, v)),),
            f"{block}.attention.out.weight": ("d", v),
            f"{block}.attention.out.bias": ("d",),
            f"{block}.perceptron.hidden.weight": (hidden, "d"),
            f"{block}.perceptron.hidden.bias": (hidden,),
            f"{block}.perceptron.out.weight": ("d", hidden),
            f"{block}.perceptron.out.bias": ("d",),
        }
        axes |= {f"{block}.norm{i}.{t}": ("d",) for i in (1, 2) for t in ("weight", "bias")}
    head: dict[str, tuple[Axis, ...]] = {"head.weight": (None, "d"), "head.bias": (None,)}
    tables: dict[str, tuple[Axis, ...]] = {
        "tokens.weight": (None, "d"), "positions.weight": (None, "d"),
    }  # fmt: skip
    patches: dict[str, tuple[Axis, ...]] = {
        "class_token": ("d",),
        "positions": (None, "d"),
        "patches.weight": ("d", None),
        "patches.bias": ("d",),
    }
    ends = {
        "gpt-2": tables,
        "gpt-2-classifier": tables | head,
        "roberta": tables | head | {"segment.weight": (None, "d")},
        "vit": patches | head,
    }
    return PermutationSpec({**axes, **ends[name]}, within)


@every
def test_an_architecture_has_the_spec_that_is_written_out(case: Case) -> None:
    assert canonical(infer(case.module(), case.inputs(2))) == canonical(written_out(case))


@every
def test_permutations_leave_the_function_alone_in_float64(case: Case) -> None:
    module = case.module()
    spec = explain(module, case.inputs(2)).spec
    assert 0 < proof(spec, module, case.inputs(2)) < 1e-12


@pytest.mark.parametrize("case", ["hidden.0", "hidden.1"])
def test_a_permutation_is_named_after_the_layer_that_makes_its_units(case: str) -> None:
    module = nn.ModuleDict({"hidden": nn.ModuleList([nn.Linear(5, 7), nn.Linear(7, 7)])})
    module.forward = lambda x: (
        module["hidden"][1](  # type: ignore[method-assign]
            module["hidden"][0](x).relu()
        )
        .relu()
        .sum(1)
    )
    assert case in infer(module, POINTS).names


# name -> how many permutations are within how many others, counted by hand
COUNTED: dict[str, tuple[nn.Module, object, list[int]]] = {
    "fused heads": (modules.Attention("3hd"), TOKENS, [0, 1, 1]),
    "heads of fused parts": (modules.Attention("h3d"), TOKENS, [0, 1, 1]),
    "slices": (modules.Attention("split"), TOKENS, [0, 1, 1]),
    "three products": (modules.Attention("apart"), TOKENS, [0, 1, 1]),
    # groups of heads, heads within a group, dimensions of keys and values within a group
    "grouped queries": (modules.Attention("apart", heads=6, shared=2), TOKENS, [0, 1, 1, 1]),
    "grouped, fused": (modules.Attention("split", heads=6, shared=2), TOKENS, [0, 1, 1, 1]),
    "one head of keys": (modules.Attention("apart", heads=3, shared=3), TOKENS, [0, 0, 0]),
    # the angles tell the dimensions of queries and keys apart
    "rotated": (modules.Attention("3hd", rotated=True), TOKENS, [0, 1]),
    "gates": (modules.Gated(), POINTS, [0]),
    "concatenated": (modules.Dense(), IMAGES, [0, 0]),
    "groups": (modules.Grouped(), IMAGES, [0, 1, 1]),
    "experts": (modules.Experts(), POINTS, [0, 1]),
    "gru": (modules.Recurrent(nn.GRU), TOKENS, [0]),
    "lstm": (modules.Recurrent(nn.LSTM), TOKENS, [0]),
    "unused positions": (modules.Table(), TOKENS, []),
    "strides": (modules.Strided(), IMAGES, [0]),
    # units before the third, and after it
    "written in place": (modules.Written(), POINTS, [0, 0]),
    "square": (modules.Stream(), POINTS, [0]),
    "dealt out": (modules.Shuffled(), IMAGES, [0, 0]),
    "torch's attention": (nn.MultiheadAttention(12, 3), (torch.randn(7, 2, 12),) * 3, [0, 1, 1]),
    "torch's encoder": (
        nn.Sequential(nn.Linear(5, 12), nn.TransformerEncoderLayer(12, 3, 23), nn.Linear(12, 2)),
        TOKENS,
        [0, 0, 0, 1, 1],
    ),
    "weight norm": (
        nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(5, 7)), nn.Linear(7, 2)),
        POINTS,
        [0],
    ),
    "transposed convolution": (
        nn.Sequential(
            nn.Conv2d(2, 6, 3), nn.ConvTranspose2d(6, 4, 3, groups=2), nn.Conv2d(4, 2, 1)
        ),
        IMAGES,
        [0, 1, 1],
    ),
    "statistics of a sample": (
        nn.Sequential(nn.Conv2d(2, 7, 3), nn.InstanceNorm2d(7, affine=True), nn.Conv2d(7, 2, 3)),
        IMAGES,
        [0],
    ),
}


@pytest.mark.parametrize("name", COUNTED)
def test_a_module_has_the_symmetries_that_are_counted_by_hand(name: str) -> None:
    module, example, counted = COUNTED[name]
    spec = explain(module, example).spec  # type: ignore[arg-type]
    assert sorted(len(spec.within.get(n, ())) for n in spec.names) == counted
    assert proof(spec, module, example) < 1e-12


ORDERED: dict[str, Callable[[Tensor], Tensor]] = {
    "aten.cumsum": lambda x: x.cumsum(-1),
    "aten.flip": lambda x: x.flip(-1),
    "aten.sort": lambda x: x.sort(-1).values,
    "aten.argmax": lambda x: x + x.argmax(-1, keepdim=True),
    "aten.max": lambda x: x + x.max(-1).indices[:, None],
    "aten.arange": lambda x: x * torch.arange(6),
    "aten.slice": lambda x: torch.cat([x[:, ::2], x[:, 1::2]], dim=1),
    "a constant": lambda x: x * torch.tensor([1.0, 2, 3, 4, 5, 6]),
}


@pytest.mark.parametrize("operation", ORDERED)
def test_units_whose_order_is_seen_stay_and_it_is_said_why(operation: str) -> None:
    module = modules.Ordered(ORDERED[operation])
    found = explain(module, POINTS)
    assert found.spec.names == ["second"]
    assert found.fixed["first.weight", 0] == found.fixed["second.weight", 1] == operation
    assert proof(found.spec, module, POINTS) < 1e-12


def test_what_an_example_does_not_use_stays() -> None:
    found = explain(modules.Table(), TOKENS)
    assert found.spec.axes["positions"] == (None, None)
    assert found.fixed["positions", 0]


def test_buffers_that_no_checkpoint_holds_stay() -> None:
    found = explain(modules.Attention("3hd", rotated=True), TOKENS)
    assert found.fixed["angles", 1] == "not in checkpoints"
    assert found.spec.axes["angles"] == (None, None)


def test_a_module_stays_as_it_is() -> None:
    module = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Dropout(), nn.Flatten())
    module[1].eval()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    infer(module, IMAGES)
    assert [part.training for part in module] == [True, False, True, True]
    assert all(torch.equal(module.state_dict()[name], t) for name, t in before.items())


LEFT_OUT = [
    "blocks.1.attention.out.weight",
    "blocks.0.attention.qkv.bias",
    "blocks.0.perceptron.hidden.bias",
    "positions.weight",
    "norm.weight",
]


@pytest.mark.parametrize("tensor", LEFT_OUT)
def test_a_tensor_of_a_transformer_that_is_left_out_is_named(tensor: str) -> None:
    (case,) = (case for case in CASES if case.architecture.name == "gpt-2")
    module = case.module()
    spec = explain(module, case.inputs(2)).spec
    wrong = dict(spec.axes) | {tensor: (None,) * len(spec.axes[tensor])}
    with pytest.raises(AlignmentError, match=rf"{tensor}: permuted wrongly by .* is 1e-08"):
        proof(PermutationSpec(wrong, spec.within), module, case.inputs(2))


def test_values_permuted_as_keys_are_named() -> None:
    module = modules.Attention("apart")
    spec = explain(module, TOKENS).spec
    wrong = {**spec.axes, "values.bias": spec.axes["keys.bias"]}
    with pytest.raises(AlignmentError, match=r"values\.bias: permuted wrongly by .*"):
        proof(PermutationSpec(wrong, spec.within), module, TOKENS)


def test_heads_whose_dimensions_are_permuted_alike_are_symmetric_too() -> None:
    module = modules.Attention("apart")
    spec = explain(module, TOKENS).spec
    assert proof(PermutationSpec(spec.axes), module, TOKENS) < 1e-12


class Branching(nn.Module):
    """Takes another way where its inputs are positive."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(5, 7)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.layer(inputs) if inputs.sum() > 0 else inputs


def test_a_graph_that_depends_on_values_is_refused() -> None:
    with pytest.raises(AlignmentError, match=r"Branching: cannot be traced \("):
        infer(Branching(), POINTS)

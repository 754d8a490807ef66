"""Axes that are cut: pieces cover a tensor once, and each entry goes where its units go."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from phasezoo import rng
from phasezoo.merging.permutation import (
    AlignmentError,
    Part,
    Permutations,
    PermutationSpec,
    Product,
    Sum,
    cycles,
    identity,
    permuted,
)
from phasezoo.merging.pieces import composed, inverse
from phasezoo.models.flat import Layout, Slot

HEADS, SIZE, WIDTH = 3, 5, 7
QK, VALUES = (Product((Part("heads", HEADS), Part(name, SIZE))) for name in ("qk", "values"))
ATTENTION = PermutationSpec(
    {
        "qkv.weight": (Sum((QK, QK, VALUES)), "stream"),
        "qkv.bias": (Sum((QK, QK, VALUES)),),
        "out.weight": ("stream", VALUES),
        "rest": (Sum((Part(None, 2), Part("stream", WIDTH))),),
        "scale": ("qk",),
    },
    within={"values": ("heads",)},
)
SHAPES = {
    "qkv.weight": (3 * HEADS * SIZE, WIDTH),
    "qkv.bias": (3 * HEADS * SIZE,),
    "out.weight": (WIDTH, HEADS * SIZE),
    "rest": (2 + WIDTH,),
    "scale": (SIZE,),
}
LAYOUT = Layout(tuple(Slot(name, 0, shape) for name, shape in SHAPES.items()))


def numbered() -> dict[str, torch.Tensor]:
    return {n: torch.arange(float(np.prod(shape))).view(shape) for n, shape in SHAPES.items()}


def by(seed: int) -> Permutations:
    return cycles(ATTENTION, LAYOUT, rng.generator("pieces", seed))


def test_names_sizes_and_shapes() -> None:
    assert ATTENTION.names == ["heads", "qk", "values", "stream"]
    assert [ATTENTION.size(name, LAYOUT) for name in ATTENTION.names] == [3, 5, 5, 7]
    assert ATTENTION.shape("values", LAYOUT) == (3, 5)
    assert ATTENTION.shape("qk", LAYOUT) == (5,)
    assert ATTENTION.places("values") == [("qkv.weight", 0), ("qkv.bias", 0), ("out.weight", 1)]


def test_pieces_are_views_that_cover_every_entry_once() -> None:
    tensors = {name: torch.zeros(shape) for name, shape in SHAPES.items()}
    pieces = ATTENTION.pieces(tensors)
    assert [p.names for p in pieces if p.tensor == "qkv.weight"] == [
        ("heads", "qk", "stream"),
        ("heads", "qk", "stream"),
        ("heads", "values", "stream"),
    ]
    for piece in pieces:
        assert len(piece.names) == piece.values.dim()
        piece.values.add_(1)
    assert all(torch.equal(t, torch.ones_like(t)) for t in tensors.values())


@pytest.mark.parametrize("seed", range(3))
def test_entries_go_where_their_units_go(seed: int) -> None:
    chosen = by(seed)
    before, after = numbered(), permuted(ATTENTION, numbered(), chosen)
    heads, qk, values, stream = (chosen[n].tolist() for n in ("heads", "qk", "values", "stream"))
    for part in range(3):
        for h in range(HEADS):
            for i in range(SIZE):
                unit = values[h][i] if part == 2 else qk[i]
                row, source = (part * HEADS + h) * SIZE + i, (part * HEADS + heads[h]) * SIZE + unit
                assert after["qkv.bias"][row] == before["qkv.bias"][source]
                assert torch.equal(after["qkv.weight"][row], before["qkv.weight"][source][stream])
                if part == 2:
                    column, taken = h * SIZE + i, heads[h] * SIZE + unit
                    assert torch.equal(
                        after["out.weight"][:, column], before["out.weight"][stream, taken]
                    )
    assert after["rest"].tolist() == [0, 1, *(2.0 + s for s in stream)]


def test_the_identity_changes_nothing() -> None:
    after = permuted(ATTENTION, numbered(), identity(ATTENTION, LAYOUT))
    assert all(torch.equal(after[name], t) for name, t in numbered().items())


def test_cycles_move_every_unit_of_every_head() -> None:
    for seed in range(5):
        for perm in by(seed).values():
            still = torch.arange(perm.shape[-1]).expand_as(perm)
            assert not (perm == still).any()
            assert torch.equal(perm.sort(dim=-1).values, still)


def test_a_name_may_stand_on_two_axes_of_a_tensor() -> None:
    spec = PermutationSpec({"square": ("units", "units")})
    perm = torch.tensor([2, 0, 1])
    after = permuted(spec, {"square": torch.arange(9.0).view(3, 3)}, {"units": perm})
    assert torch.equal(after["square"], torch.arange(9.0).view(3, 3)[perm][:, perm])


def test_units_are_within_the_nearest_head_of_their_own_axis() -> None:
    axis = Product((Part("heads", 2), Part("units", 3)))
    spec = PermutationSpec({"square": (axis, axis)}, within={"units": ("heads",)})
    layout = Layout((Slot("square", 0, (6, 6)),))
    chosen = cycles(spec, layout, rng.generator("nearest"))
    heads, units = chosen["heads"], chosen["units"]
    flat = (heads[:, None] * 3 + units).flatten()
    before = torch.arange(36.0).view(6, 6)
    after = permuted(spec, {"square": before}, chosen)["square"]
    assert torch.equal(after, before[flat][:, flat])


def test_heads_of_heads_are_permuted_but_no_search_takes_them() -> None:
    axis = Product((Part("groups", 2), Part("heads", 3), Part("units", 5)))
    within = {"heads": ("groups",), "units": ("groups", "heads")}
    spec, layout = PermutationSpec({"v": (axis,)}, within), Layout((Slot("v", 0, (30,)),))
    chosen = cycles(spec, layout, rng.generator("deep"))
    groups, heads, units = (chosen[name] for name in ("groups", "heads", "units"))
    moved = permuted(spec, {"v": torch.arange(30.0)}, chosen)["v"].view(2, 3, 5)
    for g, h, i in np.ndindex(2, 3, 5):
        source = (int(groups[g]) * 3 + int(heads[g, h])) * 5 + int(units[g, h, i])
        assert moved[g, h, i] == source
    refusal = "units: got within groups, heads, allowed is one of them"
    with pytest.raises(AlignmentError, match=refusal):
        composed(spec, chosen, chosen)
    with pytest.raises(AlignmentError, match=refusal):
        inverse(spec, chosen)

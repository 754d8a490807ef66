"""Chance comes from names, and from nothing else."""

from __future__ import annotations

import hashlib

import torch

from phasezoo import rng

GOLDEN = 182_604_155_051_579_576


def draw(*names: object) -> torch.Tensor:
    return torch.rand(7, generator=rng.generator(*names))


def test_a_seed_is_the_first_63_bits_of_blake2b() -> None:
    digest = hashlib.blake2b(b"zoo\x1fwidth=16\x1f3", digest_size=8).digest()
    bits = "".join(f"{byte:08b}" for byte in digest)
    assert rng.seed_of("zoo", "width=16", 3) == int(bits[:63], 2)


def test_a_seed_is_the_same_in_every_process() -> None:
    assert rng.seed_of("digits-mlp", "seed=0", "order", 1) == GOLDEN


def test_the_same_names_give_the_same_stream() -> None:
    assert torch.equal(draw("zoo", "order", 1), draw("zoo", "order", 1))


def test_other_names_give_another_stream() -> None:
    streams = [
        draw("zoo", "order", 1),
        draw("zoo", "order", 2),
        draw("order", "zoo", 1),
        draw("zoo", "order"),
        draw("zooorder", 1),
        draw("zoo order", 1),
        draw(),
    ]
    for i, first in enumerate(streams):
        assert not any(torch.equal(first, second) for second in streams[i + 1 :])


def test_a_stream_does_not_depend_on_what_was_drawn_before() -> None:
    alone = draw("b")
    torch.manual_seed(3)
    torch.rand(11)
    draw("a")
    assert torch.equal(draw("b"), alone)


def test_drawing_leaves_the_global_stream_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    draw("a")
    assert torch.equal(torch.rand(3), expected)


def test_seeds_fit_their_libraries() -> None:
    names = [("model", i) for i in range(199)]
    assert all(0 <= rng.seed_of(*name) < 2**63 for name in names)
    assert all(0 <= rng.small_seed_of(*name) < 2**32 for name in names)
    assert len({rng.small_seed_of(*name) for name in names}) == len(names)

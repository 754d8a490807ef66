"""Which pairs of seeds are compared."""

from __future__ import annotations

from itertools import chain

from phasezoo.spec import jobs
from phasezoo.vocabulary import compared, disjoint_pairs

BLOCKS = ((0, 1, 2), (3, 4, 5))


def test_neighbours_in_a_block_are_pairs_that_share_no_seed() -> None:
    found = disjoint_pairs(tuple(range(10, 21)))
    assert found == [(10, 11), (12, 13), (14, 15), (16, 17), (18, 19)]  # 20 is left
    assert len(set(chain(*found))) == 10


def test_neighbours_are_so_by_their_place_in_the_block() -> None:
    assert disjoint_pairs((7, 2, 3, 5)) == [(2, 7), (3, 5)]


def test_blocks_of_three_have_the_pair_of_their_first_two() -> None:
    assert compared(BLOCKS, "disjoint") == [(0, 1), (3, 4)]
    assert compared(BLOCKS, "within") == [(0, 1), (0, 2), (1, 2), (3, 4), (3, 5), (4, 5)]
    assert len(compared(BLOCKS, "all")) == 15


def test_disjoint_pairs_are_measured_block_by_block() -> None:
    assert jobs.measured_blocks(BLOCKS, "disjoint", "connectivity") == ["0+1+2", "3+4+5"]

"""What a model sees: exact counts, parts that share nothing, and names that draw them."""

from __future__ import annotations

import torch
from torch import Tensor

from phasezoo.data.seen import seen_samples
from phasezoo.spec.seen import ByChance, ByLabels

COUNTS = (7, 11, 13, 17, 5)  # samples of five classes: the first half are two, the second three
LABELS = torch.repeat_interleave(torch.arange(5), torch.tensor(COUNTS)).flip(0)
SPLIT = ByLabels(by="labels", majority=0.8)


def by_labels(position: int, seed: int = 0, name: str = "blobs") -> Tensor:
    found = seen_samples(SPLIT, name, LABELS, position, seed)
    assert found is not None
    return found


def by_chance(seed: int, name: str = "blobs", share: float = 0.5) -> Tensor:
    found = seen_samples(ByChance(by="chance", share=share), name, LABELS, 0, seed)
    assert found is not None
    return found


def test_the_first_two_models_of_a_block_share_nothing_and_miss_nothing() -> None:
    both = torch.cat([by_labels(0), by_labels(1)])
    torch.testing.assert_close(both.sort().values, torch.arange(len(LABELS)))


def test_of_every_class_each_sees_its_count() -> None:
    """Four fifths of 7, 11, 13, 17, 5 are 6, 9, 10, 14, 4: the rest of the first two is A's."""
    assert LABELS[by_labels(0)].bincount().tolist() == [7 - 6, 11 - 9, 10, 14, 4]
    assert LABELS[by_labels(1)].bincount().tolist() == [6, 9, 13 - 10, 17 - 14, 5 - 4]


def test_classes_of_one_size_are_halved_exactly() -> None:
    labels = torch.arange(10).repeat(50)
    parts = [seen_samples(SPLIT, "blobs", labels, position, 0) for position in (0, 1)]
    assert [len(part) for part in parts if part is not None] == [250, 250]


def test_models_from_the_third_on_see_everything() -> None:
    assert seen_samples(SPLIT, "blobs", LABELS, 2, 0) is None
    assert seen_samples(None, "blobs", LABELS, 0, 0) is None


def test_a_split_by_labels_is_that_of_the_data_set() -> None:
    torch.testing.assert_close(by_labels(0, seed=3), by_labels(0, seed=41))
    assert not torch.equal(by_labels(0), by_labels(0, name="other"))


def test_chance_gives_every_seed_a_share_of_its_own() -> None:
    found = [by_chance(seed) for seed in range(7)]
    assert {len(part) for part in found} == {26}  # half of 53, to even
    assert len({tuple(part.tolist()) for part in found}) == 7
    assert not torch.equal(by_chance(0), by_chance(0, name="other"))


def test_positions_increase_and_come_once() -> None:
    for part in (by_labels(0), by_labels(1), by_chance(0)):
        assert (part.diff() > 0).all()
        assert part.dtype == torch.int64


def test_every_sample_is_as_likely_by_chance() -> None:
    """Over 400 seeds each sample is seen 200 times, to within five standard deviations of 10."""
    counts = torch.cat([by_chance(seed) for seed in range(400)]).bincount(minlength=len(LABELS))
    assert ((counts - 400 * 26 / 53).abs() < 50).all()


def test_someone_who_sees_next_to_nothing_sees_a_sample() -> None:
    assert len(by_chance(0, share=1e-6)) == 1

"""Each disturbance is what it says, on images of any size, and none at severity 0."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

import oracles
from phasezoo import rng
from phasezoo.spec.downstream import Corruptions
from phasezoo.transfer.corruptions import CORRUPTIONS, corrupted

SHAPES = pytest.mark.parametrize("shape", [(1, 8, 8), (3, 5, 7), (2, 11, 6)], ids=str)
EVERY = pytest.mark.parametrize("name", CORRUPTIONS)


def images(shape: tuple[int, ...] = (1, 8, 8), count: int = 13) -> Tensor:
    return torch.rand(count, *shape, generator=rng.generator("images"), dtype=torch.float64)


def disturbed(name: str, given: Tensor, severity: float, chance: str = "chance") -> Tensor:
    return CORRUPTIONS[name](given, severity, rng.generator(chance))


def test_the_spec_knows_them_all() -> None:
    assert list(Corruptions.model_fields) == list(CORRUPTIONS)


@EVERY
@SHAPES
def test_severity_0_changes_nothing(name: str, shape: tuple[int, ...]) -> None:
    given = images(shape)
    torch.testing.assert_close(disturbed(name, given, 0), given)


@EVERY
@SHAPES
def test_some_severity_changes_images_and_leaves_their_shape(
    name: str, shape: tuple[int, ...]
) -> None:
    given = images(shape)
    found = disturbed(name, given, 0.6)
    assert found.shape == given.shape
    assert (found - given).abs().max() > 1e-3


def test_noise_has_the_deviation_that_it_says() -> None:
    given = images(count=400)
    noise = disturbed("gaussian_noise", given, 0.3) - given
    assert noise.std().item() == pytest.approx(0.3, rel=0.02)  # 25,600 numbers: 4 sigma are 0.018
    assert abs(noise.mean().item()) < 4 * 0.3 / 160


def test_impulses_hit_whole_pixels_of_the_share_that_they_say() -> None:
    given = images((3, 8, 8), count=200) * 0.8 + 0.1
    found = disturbed("impulse_noise", given, 0.2)
    hit = (found != given).all(dim=1)
    assert torch.equal(hit, (found != given).any(dim=1))
    assert hit.double().mean().item() == pytest.approx(0.2, abs=4 * (0.16 / 12800) ** 0.5)
    values = found.permute(0, 2, 3, 1)[hit]
    assert set(values.unique().tolist()) == {0.0, 1.0}
    assert values.mean().item() == pytest.approx(0.5, abs=4 * 0.5 / 2560**0.5)


@SHAPES
def test_blur_is_that_of_another_library(shape: tuple[int, ...]) -> None:
    given, sigma = images(shape), 0.8
    expected = ndimage.gaussian_filter(
        given.numpy(), sigma, axes=(2, 3), mode="nearest", radius=int(np.ceil(3 * sigma))
    )
    np.testing.assert_allclose(disturbed("blur", given, sigma), expected, rtol=1e-12)


def test_contrast_is_lost_around_the_mean_and_brightness_is_added() -> None:
    given = images((2, 5, 7))
    found = disturbed("contrast", given, 0.7)
    centred = [x - x.mean(dim=(1, 2, 3), keepdim=True) for x in (found, given)]
    torch.testing.assert_close(centred[0], 0.3 * centred[1])
    torch.testing.assert_close(found.mean(dim=(1, 2, 3)), given.mean(dim=(1, 2, 3)))
    torch.testing.assert_close(disturbed("brightness", given, 0.2), given + 0.2)


def test_right_angles_are_turns_to_either_side() -> None:
    given = images((2, 7, 7), count=31)
    found = disturbed("rotation", given, 90)
    left, right = (given.rot90(k, (2, 3)) for k in (1, -1))
    is_left = ((found - left).abs().amax(dim=(1, 2, 3)) < 1e-5).tolist()
    is_right = ((found - right).abs().amax(dim=(1, 2, 3)) < 1e-5).tolist()
    assert [a + b for a, b in zip(is_left, is_right, strict=True)] == [1] * 31
    assert 5 < sum(is_left) < 26


def test_half_a_turn_of_oblong_images_is_upside_down() -> None:
    given = images((1, 5, 9))
    turned = disturbed("rotation", given, 180)  # by angles in float32
    torch.testing.assert_close(turned, given.flip(2, 3), rtol=0, atol=1e-5)


def test_an_oblong_image_is_turned_without_being_stretched() -> None:
    """The pixel right of the middle comes to lie above or below it."""
    given = torch.zeros(3, 1, 5, 9, dtype=torch.float64)
    given[:, :, 2, 6] = 1
    found = disturbed("rotation", given, 90)
    assert found[:, 0, [0, 4], 4].sum(dim=1).tolist() == pytest.approx([1, 1, 1])


def test_whole_pixels_are_moved_and_black_comes_in() -> None:
    given = images((1, 6, 9), count=31) + 0.1
    found = disturbed("translation", given, 2)
    kinds = set()
    for image, moved in zip(given[:, 0], found[:, 0], strict=True):
        for down in (-2, 2):
            for across in (-2, 2):
                expected = ndimage.shift(image.numpy(), (down, across), order=0)
                if np.allclose(moved, expected, atol=1e-9):
                    kinds.add((down, across))
                    break
            else:
                continue
            break
        else:
            pytest.fail("moved by something else")
    assert len(kinds) == 4


def test_half_of_the_pixels_are_means_of_blocks() -> None:
    given = images((2, 8, 6))
    blocks = given.unflatten(3, (3, 2)).unflatten(2, (4, 2)).mean(dim=(3, 5))
    expected = blocks.repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(disturbed("pixelate", given, 0.5), expected)


def test_a_square_is_black_anywhere_within_the_image() -> None:
    given = images((3, 5, 9), count=300) + 0.1
    black = disturbed("occlusion", given, 0.6) == 0
    assert torch.equal(black.all(dim=1), black.any(dim=1))
    places = set()
    for image in black[:, 0]:
        rows, columns = image.any(dim=1).nonzero().flatten(), image.any(dim=0).nonzero().flatten()
        assert (len(rows), len(columns), image.sum().item()) == (3, 3, 9)
        places.add((rows[0].item(), columns[0].item()))
    assert len(places) == 3 * 7


@EVERY
def test_a_task_is_disturbed_within_its_own_brightness_by_name_alone(name: str) -> None:
    task = oracles.blobs(train=53, test=31, shape=(2, 5, 5))
    low = torch.stack([x.min() for x in (task.train_inputs[:, 0], task.train_inputs[:, 1])]) - 1
    task = replace(task, black=low)
    found, again = corrupted(task, name, 0.7), corrupted(task, name, 0.7)
    assert torch.equal(found, again)
    high = torch.cat([task.train_inputs, task.test_inputs]).amax(dim=(0, 2, 3))
    assert (found.amin(dim=(0, 2, 3)) >= low - 1e-5).all()
    assert (found.amax(dim=(0, 2, 3)) <= high + 1e-5).all()


@EVERY
@pytest.mark.parametrize("brighter", ["train", "test"])
def test_severity_0_gives_the_images_as_they_are_whichever_set_is_brighter(
    name: str, brighter: str
) -> None:
    task = oracles.blobs(train=53, test=31, shape=(2, 5, 5))
    train, test = (x - x.amin() for x in (task.train_inputs, task.test_inputs))
    train, test = (3 * train, test) if brighter == "train" else (train, 3 * test)
    found = corrupted(replace(task, train_inputs=train, test_inputs=test), name, 0)
    torch.testing.assert_close(found, test, rtol=0, atol=1e-5 * float(test.max()))


def test_brightness_is_told_in_ranges_of_each_channel() -> None:
    task = oracles.blobs(shape=(2, 5, 5))
    low = torch.tensor([-20.0, -40.0])
    high = torch.cat([task.train_inputs, task.test_inputs]).amax(dim=(0, 2, 3))
    found = corrupted(replace(task, black=low), "brightness", 0.01)
    added = (found - task.test_inputs).amax(dim=(0, 2, 3))
    torch.testing.assert_close(added, 0.01 * (high - low), rtol=1e-4, atol=1e-4)


def test_an_unknown_name_is_refused_with_those_known() -> None:
    with pytest.raises(ValueError, match="got fog, allowed are gaussian_noise, impulse"):
        corrupted(oracles.blobs(), "fog", 1)

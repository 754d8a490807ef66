"""Data sets are split, disturbed and normalised as their spec says."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import xarray as xr
from scipy import stats
from sklearn.datasets import load_digits

from phasezoo.data.labelled import labelled
from phasezoo.data.source import load_source
from phasezoo.spec.data import Digits
from phasezoo.spec.label_noise import LabelNoise
from phasezoo.vocabulary import Split

TRAIN = 1201


@cache
def made(
    keep: int | None = None,
    rotation: int = 0,
    noise: float | None = None,
    split_seed: int = 0,
    noise_seed: int = 0,
) -> xr.Dataset:
    return labelled(
        Digits(
            source="digits",
            recipe=1,
            train=TRAIN,
            split_seed=split_seed,
            keep=keep,
            rotation=rotation,
            label_noise=None if noise is None else LabelNoise(fraction=noise, seed=noise_seed),
        )
    )


def part(data: xr.Dataset, split: Split) -> xr.Dataset:
    return data.isel(sample=data["split"].values == split)


def test_every_sample_is_on_exactly_one_side() -> None:
    data = made()
    assert sorted(data["sample"].values) == list(range(1797))
    assert part(data, Split.TRAIN).sizes["sample"] == TRAIN
    assert part(data, Split.TEST).sizes["sample"] == 1797 - TRAIN


@pytest.mark.parametrize("split", list(Split))
def test_each_class_has_its_share_on_either_side(split: Split) -> None:
    everything = np.bincount(load_digits().target)
    found = np.bincount(part(made(), split)["label"].values)
    expected = everything * found.sum() / 1797
    assert np.abs(found - expected).max() <= 1  # whole samples


def test_samples_carry_the_image_and_label_of_their_source() -> None:
    data, source = made(), load_digits()
    assert np.array_equal(data["image"].values[:, 0], source.images[data["sample"].values])
    assert np.array_equal(data["label"].values, source.target[data["sample"].values])
    assert np.array_equal(data["given_label"], data["label"])


def test_the_split_is_fixed_and_depends_on_its_seed_only() -> None:
    made.cache_clear()
    first = made()
    made.cache_clear()
    assert first.identical(made())
    assert np.array_equal(first["sample"], made(noise=0.2)["sample"])
    other = part(made(split_seed=1), Split.TEST)["sample"].values
    assert not np.array_equal(part(first, Split.TEST)["sample"].values, other)


def test_mean_and_deviation_are_those_of_the_training_images() -> None:
    data = made()
    pixels = load_digits().images[part(data, Split.TRAIN)["sample"].values]
    np.testing.assert_allclose(data["mean"].values, [pixels.mean()], rtol=1e-7)  # float32
    np.testing.assert_allclose(data["standard_deviation"].values, [pixels.std()], rtol=1e-7)


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.999])
def test_noise_changes_exactly_its_share_of_the_training_labels(fraction: float) -> None:
    train = part(made(noise=fraction), Split.TRAIN)
    changed = (train["given_label"] != train["label"]).values  # a change to the same class is none
    assert changed.sum() == round(fraction * TRAIN)


def test_no_noise_changes_nothing() -> None:
    assert made(noise=0.0)["given_label"].identical(made()["given_label"])


def test_noisy_labels_are_classes() -> None:
    given = made(noise=0.999)["given_label"].values
    assert set(given) == set(range(10))


def test_test_labels_are_clean() -> None:
    test = part(made(noise=0.999), Split.TEST)
    assert np.array_equal(test["given_label"], test["label"])


def test_every_other_class_is_equally_likely() -> None:
    train = part(made(noise=0.999), Split.TRAIN)
    shift = (train["given_label"].values - train["label"].values) % 10
    counts = np.bincount(shift[shift != 0], minlength=10)[1:]
    assert stats.chisquare(counts).pvalue > 1e-3  # a fixed seed: passes always or never


def test_another_noise_seed_changes_other_samples() -> None:
    first, second = made(noise=0.1), made(noise=0.1, noise_seed=1)
    assert first["label"].identical(second["label"])
    assert not np.array_equal(first["given_label"], second["given_label"])


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_is_counter_clockwise_on_the_same_split(degrees: int) -> None:
    plain, rotated = made(), made(rotation=degrees)
    assert np.array_equal(plain["sample"], rotated["sample"])
    assert np.array_equal(plain["label"], rotated["label"])
    turned = plain["image"].values[:, 0]  # [N, 8, 8]
    for _ in range(degrees // 90):
        turned = turned.transpose(0, 2, 1)[:, ::-1]  # the right column becomes the top row
    assert np.array_equal(rotated["image"].values[:, 0], turned)


@pytest.mark.parametrize("degrees", [20, 137])
def test_rotation_by_any_angle_is_linear_interpolation(degrees: int) -> None:
    images = made()["image"].values[:, 0].astype(float)
    row, column = np.mgrid[:8, :8]
    x, y = column - 3.5, 3.5 - row  # right and up from the centre
    angle = np.deg2rad(degrees)
    # where each pixel comes from: turned back, clockwise
    r = 3.5 - (y * np.cos(angle) - x * np.sin(angle))
    c = 3.5 + x * np.cos(angle) + y * np.sin(angle)
    inside = (r >= 0) & (r <= 7) & (c >= 0) & (c <= 7)
    r0, c0 = np.clip(np.floor(r), 0, 6).astype(int), np.clip(np.floor(c), 0, 6).astype(int)
    dr, dc = r - r0, c - c0
    top = (1 - dc) * images[:, r0, c0] + dc * images[:, r0, c0 + 1]
    low = (1 - dc) * images[:, r0 + 1, c0] + dc * images[:, r0 + 1, c0 + 1]
    expected = np.where(inside, (1 - dr) * top + dr * low, 0)
    found = made(rotation=degrees)["image"].values[:, 0]
    assert np.abs(found - expected).max() <= 0.5 + 1e-9  # rounded to whole grey values


def test_what_is_kept_is_a_stratified_part_of_the_training_set() -> None:
    whole, kept = part(made(), Split.TRAIN), part(made(keep=101), Split.TRAIN)
    assert kept.sizes["sample"] == 101
    assert set(kept["sample"].values) < set(whole["sample"].values)
    expected = np.bincount(whole["label"].values) * 101 / TRAIN
    assert np.abs(np.bincount(kept["label"].values) - expected).max() <= 1


def test_keeping_few_leaves_the_test_set_as_it_is() -> None:
    test = part(made(), Split.TEST)
    few = part(made(keep=101, rotation=90), Split.TEST)
    assert np.array_equal(test["sample"], few["sample"])
    assert np.array_equal(few["image"].values, np.rot90(test["image"].values, axes=(2, 3)))


def test_keeping_all_is_keeping_nothing_back() -> None:
    assert made(keep=TRAIN).drop_attrs().identical(made().drop_attrs())


def test_a_source_has_no_sample_brighter_than_it_says() -> None:
    source = load_source(Digits(source="digits", recipe=1, train=TRAIN, split_seed=0))
    assert source.images.max() == source.brightest == 16
    assert source.images.shape == (1797, 1, 8, 8)
    assert len(source.classes) == 10

"""Augmentation is that of torchvision on Pillow images, to the pixel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

import oracles
from phasezoo import rng
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import load_weights
from phasezoo.spec import architecture as spec
from phasezoo.spec.training import Augmentation, Constant, Optimisation
from phasezoo.training.augment import augmented, drawn, looked_up, rotations
from phasezoo.training.train import Checkpoint, start, train
from torchvision_here import torchvision

SIZES = [(32, 32), (64, 64), (31, 17), (7, 96)]
ZOO = Augmentation(crop=4, flip=True, rotation=20.0)
BLACK = torch.zeros(3, dtype=torch.uint8)


def images(samples: int, size: tuple[int, int], seed: int = 0) -> Tensor:
    """Random images [N, 3, H, W] uint8 without black."""
    random = np.random.default_rng(seed)
    return torch.from_numpy(random.integers(1, 256, (samples, 3, *size), dtype=np.uint8))


def plan(
    samples: int,
    size: tuple[int, int],
    degrees: float = 0.0,
    down: int = 0,
    right: int = 0,
    flip: bool = False,
) -> Tensor:
    """The same for all images."""
    turns = rotations(torch.full((samples,), degrees, dtype=torch.float64), torch.Size(size))
    rest = torch.tensor([[down, right, flip]]).expand(samples, 3)
    return torch.cat([turns, rest], dim=1)


@pytest.mark.parametrize("size", SIZES)
def test_it_is_torchvision_on_pillow_images_to_the_pixel(size: tuple[int, int]) -> None:
    """Crop, flip and rotation with the same numbers for each sample, one after the other."""
    torchvision()
    from torchvision.transforms import functional as theirs

    given = images(211, size)
    chosen = drawn(len(given), torch.Size(size), ZOO, rng.generator("a"))
    degrees = again(211, ZOO, "a")
    assert torch.equal(rotations(degrees, torch.Size(size)), chosen[:, :6])
    found = looked_up(given, chosen, BLACK)
    for image, (down, right, flip), angle, ours in zip(
        given, chosen[:, 6:].tolist(), degrees.tolist(), found, strict=True
    ):
        picture = theirs.pad(Image.fromarray(image.permute(1, 2, 0).numpy()), 4)
        picture = theirs.crop(picture, down + 4, right + 4, *size)
        picture = theirs.hflip(picture) if flip else picture
        assert np.array_equal(np.asarray(theirs.rotate(picture, angle)), ours.permute(1, 2, 0))


def again(samples: int, given: Augmentation, name: str) -> Tensor:
    """The angles of `drawn`."""
    chance = rng.generator(name)
    torch.randint(-given.crop, given.crop + 1, (samples, 2), generator=chance)
    torch.rand((samples, 1), generator=chance)
    return (2 * torch.rand(samples, dtype=torch.float64, generator=chance) - 1) * given.rotation


@pytest.mark.parametrize("size", SIZES)
def test_torchvision_on_tensors_differs_in_few_pixels(size: tuple[int, int]) -> None:
    """It rotates by a float32 grid, Pillow in fixed point: pixels on the edge of two differ."""
    torchvision()
    from torchvision.transforms import functional as theirs

    given = images(53, size)
    degrees = torch.linspace(-20, 20, 53, dtype=torch.float64)
    chosen = plan(53, size)
    chosen[:, :6] = rotations(degrees, torch.Size(size))
    found = looked_up(given, chosen, BLACK)
    turned = [theirs.rotate(a, angle) for a, angle in zip(given, degrees.tolist(), strict=True)]
    assert (torch.stack(turned) != found).double().mean() < 1e-3


@pytest.mark.parametrize("degrees", [-179.0, -90.1, -20.0, -0.3, 0.0, 7.0, 19.99, 133.0])
@pytest.mark.parametrize("size", SIZES)
def test_rotation_is_that_of_pillow(size: tuple[int, int], degrees: float) -> None:
    given = images(3, size)
    found = looked_up(given, plan(3, size, degrees), BLACK)
    for image, ours in zip(given, found, strict=True):
        turned = Image.fromarray(image.permute(1, 2, 0).numpy()).rotate(degrees)
        assert np.array_equal(np.asarray(turned), ours.permute(1, 2, 0))


@pytest.mark.parametrize("size", SIZES)
def test_nothing_done_is_nothing_changed(size: tuple[int, int]) -> None:
    given = images(5, size)
    assert torch.equal(looked_up(given, plan(5, size), BLACK), given)


def test_a_flip_is_a_mirror_and_two_are_none() -> None:
    given = images(5, (11, 13))
    once = looked_up(given, plan(5, (11, 13), flip=True), BLACK)
    assert torch.equal(once, given.flip(3))
    assert torch.equal(looked_up(once, plan(5, (11, 13), flip=True), BLACK), given)


@pytest.mark.parametrize(("down", "right"), [(0, 0), (-4, 4), (3, -1), (4, 4), (-2, -3)])
def test_a_crop_is_a_slice_of_the_padded_image(down: int, right: int) -> None:
    given = images(5, (11, 13))
    padded = functional.pad(given, (4, 4, 4, 4))
    expected = padded[:, :, 4 + down : 15 + down, 4 + right : 17 + right]
    assert torch.equal(looked_up(given, plan(5, (11, 13), 0.0, down, right), BLACK), expected)


def test_what_comes_in_is_black_in_the_units_of_the_inputs() -> None:
    mean, deviation = torch.tensor([125.3, 123.0, 113.9]), torch.tensor([63.0, 62.1, 66.7])
    black = -mean / deviation
    pixels = images(17, (32, 32)).float()

    def normalised(values: Tensor) -> Tensor:
        return (values - mean.reshape(3, 1, 1)) / deviation.reshape(3, 1, 1)

    after = normalised(augmented(pixels, ZOO, torch.zeros(3), rng.generator("a")))
    before = augmented(normalised(pixels), ZOO, black, rng.generator("a"))
    assert torch.equal(before, after)
    assert (before == black.reshape(3, 1, 1)).any()


def test_each_sample_is_disturbed_by_itself_and_anew() -> None:
    given = images(1, (32, 32)).expand(64, -1, -1, -1)
    chance = rng.generator("a")
    first, second = (augmented(given, ZOO, BLACK, chance) for _ in range(2))
    assert len(torch.unique(torch.cat([first, second]), dim=0)) == 128


def test_a_generator_of_one_name_gives_the_same_images() -> None:
    given = images(17, (32, 32))
    first, second, other = (augmented(given, ZOO, BLACK, rng.generator(n)) for n in "aab")
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_numbers_are_drawn_as_torchvision_draws_them() -> None:
    """Offsets uniform on -4..4, flips in one half, angles uniform on ±20 degrees."""
    samples = 90_000
    chosen = drawn(samples, torch.Size((32, 32)), ZOO, rng.generator("a"))
    degrees = again(samples, ZOO, "a")
    for column in (6, 7):
        values, counts = chosen[:, column].unique(return_counts=True)
        assert values.tolist() == list(range(-4, 5))
        assert (counts - samples / 9).abs().max() < 5 * (samples / 9) ** 0.5
    assert abs(chosen[:, 8].double().mean() - 0.5) < 5 * 0.5 / samples**0.5
    assert degrees.abs().max() < 20
    sixths = torch.histc(degrees, bins=6, min=-20, max=20)
    assert (sixths - samples / 6).abs().max() < 5 * (samples / 6) ** 0.5


@pytest.mark.parametrize(
    ("given", "columns"),
    [
        (Augmentation(crop=2), [6, 7]),
        (Augmentation(flip=True), [8]),
        (Augmentation(rotation=20.0), list(range(6))),
    ],
)
def test_what_is_left_out_is_not_done(given: Augmentation, columns: list[int]) -> None:
    size = torch.Size((31, 17))
    chosen = drawn(101, size, given, rng.generator("a"))
    same = (chosen == plan(101, (31, 17))).all(dim=0)
    assert not same[columns].any()
    assert same[[c for c in range(9) if c not in columns]].all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_gives_the_same_images() -> None:
    given = images(101, (32, 32)).float()
    here = augmented(given, ZOO, torch.ones(3), rng.generator("a"))
    there = augmented(given.cuda(), ZOO, torch.ones(3), rng.generator("a"))
    assert torch.equal(here, there.cpu())


NAMES = ("zoo", "width=5", "batch_size=11", "seed=0")
MLP = spec.Mlp(name="mlp", hidden_layers=2, width=5)
TASK = oracles.blobs(shape=(2, 5, 7))


def trained(
    task: oracles.Task, given: Augmentation | None, *epochs: int, origin: Checkpoint | None = None
) -> list[Checkpoint]:
    module = build(MLP, task.shape, task.classes)
    initialise(module, rng.generator(*NAMES, "init"))
    if origin:
        load_weights(module, origin.weights)
    how = oracles.optimisation(Constant(name="constant"))
    how = Optimisation.model_validate(how.model_dump() | {"augmentation": given})
    return list(train(module, task, how, NAMES, origin or start(module), epochs))


def parameters(checkpoint: Checkpoint) -> Tensor:
    return checkpoint.weights.parameters


def test_training_sees_disturbed_images() -> None:
    (plain,), (disturbed,) = (trained(TASK, given, 2) for given in (None, ZOO))
    assert not torch.equal(parameters(plain), parameters(disturbed))


def test_mirrored_images_change_nothing_where_all_are_symmetric() -> None:
    inputs = TASK.train_inputs + TASK.train_inputs.flip(3)
    task = replace(TASK, train_inputs=inputs)
    (plain,), (flipped,) = (trained(task, given, 3) for given in (None, Augmentation(flip=True)))
    assert torch.equal(parameters(plain), parameters(flipped))


def test_an_interrupted_training_ends_at_the_same_bits() -> None:
    whole = trained(TASK, ZOO, 1, 3)
    (resumed,) = trained(TASK, ZOO, 3, origin=whole[0])
    assert torch.equal(parameters(whole[1]), parameters(resumed))


def test_training_is_a_loop_over_disturbed_batches() -> None:
    """The batches of one epoch, with the generators of its names, and nothing else."""
    (found,) = trained(replace(TASK, black=torch.tensor([0.3, -1.0])), ZOO, 1)
    module = build(MLP, TASK.shape, TASK.classes)
    initialise(module, rng.generator(*NAMES, "init"))
    optimiser = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    order = torch.randperm(len(TASK.train_labels), generator=rng.generator(*NAMES, "order", 1))
    chance = rng.generator(*NAMES, "augment", 1)
    module.train()
    for chosen in order.split(11):
        inputs = augmented(TASK.train_inputs[chosen], ZOO, torch.tensor([0.3, -1.0]), chance)
        optimiser.zero_grad()
        functional.cross_entropy(module(inputs), TASK.train_labels[chosen]).backward()
        optimiser.step()
    assert torch.equal(start(module).weights.parameters, parameters(found))

"""Disturbed images, in the spirit of Hendrycks and Dietterich 2019 (arXiv:1903.12261).

Own definitions, for images of any size. Severities are explicit numbers, whose units
`phasezoo.spec.downstream.Corruptions` states; 0 changes nothing. They are on a scale where 0 is
black and 1 the brightest pixel of a channel. In the paper that is the most its file format holds,
and what goes beyond is cut off. A task does not know its format, so the brightest pixel of all
images stands for it, and not that of the training images: some test image may be brighter.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch.nn import functional

from phasezoo import rng
from phasezoo.data.task import Task

# from images [N, C, H, W] of 0 to 1, a severity, and a generator on the CPU
Corruption = Callable[[Tensor, float, Generator], Tensor]


def corrupted(task: Task, name: str, severity: float) -> Tensor:
    """The test images of a task, disturbed, normalised as they were.

    What is random in it is drawn by the names of task, corruption and severity, so that all models
    are shown the same images. What gets darker than black, or brighter than any image of training
    or test set, is cut off.

    Args:
        task: with images.
        name: of the corruption.
        severity: how much, in the unit of the corruption.

    Raises:
        ValueError: there is no such corruption.
    """
    if name not in CORRUPTIONS:
        raise ValueError(f"corruption: got {name}, allowed are {', '.join(CORRUPTIONS)}")
    chance = rng.generator(task.name, "corruption", name, f"{severity:g}")
    scale = (1, -1, 1, 1)
    black = task.black.view(scale).to(task.test_inputs)
    sets = (task.train_inputs, task.test_inputs)
    brightest = torch.maximum(*(x.amax(dim=(0, 2, 3)) for x in sets)).view(scale)
    span = torch.where(brightest > black, brightest - black, torch.ones_like(brightest))
    found = CORRUPTIONS[name]((task.test_inputs - black) / span, severity, chance)
    return found.clamp(0, 1) * span + black


def gaussian_noise(images: Tensor, severity: float, chance: Generator) -> Tensor:
    """Independent noise on every number; severity: its standard deviation."""
    return images + severity * torch.randn(images.shape, generator=chance).to(images)


def impulse_noise(images: Tensor, severity: float, chance: Generator) -> Tensor:
    """A share of the pixels turns black or bright, either with equal chance."""
    drawn = torch.rand(2, *_one_channel(images), generator=chance)
    hit, value = (drawn[0] < severity).to(images.device), (drawn[1] < 0.5).to(images)
    return torch.where(hit, value, images)


def blur(images: Tensor, severity: float, chance: Generator) -> Tensor:
    """Convolved with a Gaussian; severity: its standard deviation in pixels."""
    if not severity:
        return images
    reach = math.ceil(3 * severity)
    places = torch.arange(-reach, reach + 1).to(images)
    line = torch.exp(-places.square() / (2 * severity**2))
    line = (line / line.sum()).expand(images.shape[1], 1, 1, -1)
    padded = functional.pad(images, (reach,) * 4, mode="replicate")
    across = functional.conv2d(padded, line, groups=images.shape[1])
    return functional.conv2d(across, line.mT, groups=images.shape[1])


def contrast(images: Tensor, severity: float, chance: Generator) -> Tensor:
    """Pulled towards the mean of the image; severity: the share of the contrast that is lost."""
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (1 - severity) * (images - mean)


def brightness(images: Tensor, severity: float, chance: Generator) -> Tensor:
    """Brighter everywhere by the severity."""
    return images + severity


def rotation(images: Tensor, severity: float, chance: Generator) -> Tensor:
    """Turned about the middle by so many degrees, to either side; black comes in."""
    angles = math.radians(severity) * _signs(len(images), chance)
    height, width = images.shape[2:]
    sine, cosine, nothing = angles.sin(), angles.cos(), torch.zeros_like(angles)
    # the grid goes from -1 to 1 along either side, however long
    rows = [cosine, -sine * height / width, nothing, sine * width / height, cosine, nothing]
    return _moved(images, torch.stack(rows, dim=1).view(-1, 2, 3))


def translation(images: Tensor, severity: float, chance: Generator) -> Tensor:
    """Moved by so many pixels across and as many down, to either side; black comes in."""
    height, width = images.shape[2:]
    steps = [_signs(len(images), chance) * 2 * severity / side for side in (width, height)]
    one, nothing = torch.ones(len(images)), torch.zeros(len(images))
    rows = [one, nothing, steps[0], nothing, one, steps[1]]
    return _moved(images, torch.stack(rows, dim=1).view(-1, 2, 3))


def pixelate(images: Tensor, severity: float, chance: Generator) -> Tensor:
    """Averaged to fewer pixels and enlarged again; severity: the share of rows that is lost."""
    height, width = (max(1, round(side * (1 - severity))) for side in images.shape[2:])
    small = functional.adaptive_avg_pool2d(images, (height, width))
    return functional.interpolate(small, images.shape[2:], mode="nearest-exact")


def occlusion(images: Tensor, severity: float, chance: Generator) -> Tensor:
    """A black square anywhere; severity: its side, as a share of the shorter side of the image."""
    side = round(severity * min(images.shape[2:]))
    drawn = torch.rand(2, len(images), generator=chance)
    covered = [
        _within(length, (drawn[axis] * (length - side + 1)).floor(), side)
        for axis, length in enumerate(images.shape[2:])
    ]
    square = (covered[0][:, :, None] & covered[1][:, None, :])[:, None]  # [N, 1, H, W]
    return images.masked_fill(square.to(images.device), 0)


CORRUPTIONS: dict[str, Corruption] = {
    "gaussian_noise": gaussian_noise,
    "impulse_noise": impulse_noise,
    "blur": blur,
    "contrast": contrast,
    "brightness": brightness,
    "rotation": rotation,
    "translation": translation,
    "pixelate": pixelate,
    "occlusion": occlusion,
}


def _moved(images: Tensor, maps: Tensor) -> Tensor:
    """Images under affine maps [N, 2, 3], interpolated linearly, black outside."""
    grid = functional.affine_grid(maps.to(images), list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, align_corners=False)


def _signs(count: int, chance: Generator) -> Tensor:
    return 2.0 * torch.randint(2, (count,), generator=chance) - 1


def _one_channel(images: Tensor) -> tuple[int, int, int, int]:
    count, _, height, width = images.shape
    return count, 1, height, width


def _within(length: int, start: Tensor, side: int) -> Tensor:
    """Which of so many places lie in stretches that begin at `start` [N], [N, length]."""
    places = torch.arange(length) - start[:, None]
    return (places >= 0) & (places < side)

"""Augmentation of a batch on its device: crop, flip and rotation as one look-up of pixels."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from phasezoo.spec.training import Augmentation

_ONE = 1 << 16  # Pillow rotates in fixed-point arithmetic with 16 binary places


def augmented(
    images: Tensor, spec: Augmentation, black: Tensor, generator: torch.Generator
) -> Tensor:
    """Images, each of them cropped, flipped and rotated by chance, in this order.

    As torchvision's RandomCrop with padding, RandomHorizontalFlip and RandomRotation do it with
    a Pillow image, to the pixel. All three copy pixels, so they are one look-up, and it does not
    matter that the values are normalised already.

    Args:
        images: [N, C, H, W].
        spec: what to do.
        black: [C] or [1], what comes in from outside.
        generator: on the CPU, so that the result does not depend on the device.

    Returns:
        [N, C, H, W], on the device of `images`.
    """
    return looked_up(images, drawn(len(images), images.shape[2:], spec, generator), black)


def drawn(samples: int, size: torch.Size, spec: Augmentation, generator: torch.Generator) -> Tensor:
    """What is done to each image: `rotations`, then offsets of the crop and the flip.

    Offsets are uniform from -crop to crop, flips have probability 1/2, angles are uniform from
    -rotation to rotation. As many numbers are drawn whatever `spec` leaves out.

    Returns:
        [N, 9] int64 on the CPU: six of the rotation, rows down, columns right, 1 for a flip.
    """
    return _plans(_chance(samples, spec, generator), size, spec)


def drawn_in_turn(
    batches: Iterable[int], size: torch.Size, spec: Augmentation, generator: torch.Generator
) -> Tensor:
    """The same for batches of so many samples, drawn one after the other; [sum of batches, 9]."""
    found = [_chance(samples, spec, generator) for samples in batches]
    return _plans([torch.cat(parts) for parts in zip(*found, strict=True)], size, spec)


def _chance(samples: int, spec: Augmentation, generator: torch.Generator) -> list[Tensor]:
    """Offsets [N, 2], flips [N, 1], and angles [N] from 0 to 1."""
    offsets = torch.randint(-spec.crop, spec.crop + 1, (samples, 2), generator=generator)
    flips = torch.rand((samples, 1), generator=generator) < 0.5
    return [offsets, flips, torch.rand(samples, dtype=torch.float64, generator=generator)]


def _plans(chance: list[Tensor], size: torch.Size, spec: Augmentation) -> Tensor:
    offsets, flips, angles = chance
    turns = rotations((2 * angles - 1) * spec.rotation, size)
    return torch.cat([turns, offsets, flips & spec.flip], dim=1)


def rotations(degrees: Tensor, size: torch.Size) -> Tensor:
    """Where a rotated image takes its pixels from, as Pillow computes it.

    The pixel in column x and row y comes from the column floor((a x + b y + c) / 2^16) and the row
    floor((d x + e y + f) / 2^16), with a..f rounded to whole numbers.

    Args:
        degrees: [N] float64, counter-clockwise about the middle of the image.
        size: height and width.

    Returns:
        a, b, c, d, e, f: [N, 6] int64.
    """
    height, width = size
    angle = -torch.deg2rad(degrees)
    cosine, sine = angle.cos(), angle.sin()
    x, y = 0.5 - width / 2, 0.5 - height / 2  # the middle of the first pixel from that of the image
    across = cosine * x + sine * y + width / 2
    down = -sine * x + cosine * y + height / 2
    table = torch.stack([cosine, sine, across, -sine, cosine, down], dim=1)
    return (table * _ONE + 0.5).floor().long()


def looked_up(images: Tensor, plan: Tensor, black: Tensor) -> Tensor:
    """Images [N, C, H, W] with pixels from where a plan [N, 9] (`drawn`) says, or `black`."""
    samples, channels, height, width = images.shape
    numbers = plan.to(images.device, torch.int32, non_blocking=True).T.reshape(9, samples, 1, 1)
    a, b, c, d, e, f, down, right, flip = numbers
    x = torch.arange(width, dtype=torch.int32, device=images.device)
    y = torch.arange(height, dtype=torch.int32, device=images.device).reshape(-1, 1)
    column, row = (a * x + b * y + c) >> 16, (d * x + e * y + f) >> 16
    mirrored = width - 1 - column
    outside = column | mirrored | row | (height - 1 - row)  # negative where one of them is
    column, row = torch.where(flip > 0, mirrored, column) + right, row + down
    outside |= column | (width - 1 - column) | row | (height - 1 - row)
    outside = outside < 0
    place = (row * width + column).masked_fill_(outside, 0).long().reshape(samples, 1, -1)
    found = images.flatten(2).gather(2, place.expand(-1, channels, -1)).reshape(images.shape)
    return torch.where(outside[:, None], black.to(found).reshape(1, -1, 1, 1), found)

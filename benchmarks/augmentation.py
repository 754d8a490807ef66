"""Augmentation of a batch, beside torchvision on one Pillow image after the other.

torchvision 0.29.1 is for another torch than the one here; installed without its dependencies it is
enough, its operators are not used (tests/torchvision_here.py).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from phasezoo import rng
from phasezoo.spec.training import Augmentation
from phasezoo.training.augment import augmented

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from torchvision_here import torchvision

ZOO = Augmentation(crop=4, flip=True, rotation=20.0)
THREADS = 2
TRIES = 40


def best(run: Callable[[], object]) -> float:
    """Seconds of the fastest run, which others on the machine disturb least."""
    times = []
    for _ in range(TRIES):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return min(times)


def main() -> None:
    """Print microseconds per image."""
    torch.set_num_threads(THREADS)
    version = torchvision().__version__
    from torchvision import transforms

    print(f"torch {torch.__version__}, torchvision {version}, {THREADS} threads, µs per image")
    for samples, size in ((8, 32), (128, 32), (1024, 32), (128, 64)):
        pixels = np.random.default_rng(0).integers(0, 256, (samples, size, size, 3), dtype=np.uint8)
        images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().contiguous()
        pictures = [Image.fromarray(image) for image in pixels]
        disturb = [
            transforms.RandomCrop(size, padding=4),
            transforms.RandomHorizontalFlip(),
            transforms.RandomRotation(20),
        ]
        rest = [transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.2] * 3)]
        one, whole = transforms.Compose(disturb), transforms.Compose(disturb + rest)
        chance, black = rng.generator("augmentation"), torch.zeros(3)
        runs = (
            lambda: augmented(images, ZOO, black, chance),  # noqa: B023
            lambda: [one(picture) for picture in pictures],  # noqa: B023
            lambda: [whole(picture) for picture in pictures],  # noqa: B023
        )
        ours, theirs, in_full = (1e6 * best(run) / samples for run in runs)
        print(f"{samples:5} × {size}: {ours:6.1f}, torchvision {theirs:6.1f}, "
              f"with ToTensor and Normalize {in_full:6.1f}")  # fmt: skip


if __name__ == "__main__":
    main()

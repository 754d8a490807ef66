"""One training in a process of its own: as the code of the zoo paper trains, or as this package.

python benchmarks/plain_training.py plain|ours ARCHITECTURE WIDTH BATCH SEED EPOCHS

Prints the seconds of an epoch (the median); the time of the process is for whoever started it.
`plain` trains one seed: a ``DataLoader`` with worker processes that takes sample by sample from a
data set and normalises each, for zoos with augmentation cropped, flipped and rotated before;
``torch.optim.SGD`` and ``OneCycleLR``, a loss that is read after every step, a file for each
checkpoint. `ours` trains the three seeds of a cell and writes their store.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

WORKERS = min(6, os.cpu_count() or 1)  # six in the code of the zoo paper; more than cores are slow
RATE, MOMENTUM, DECAY = 0.1, 0.9, 5e-4
SEEDS = 3


class Samples(Dataset[tuple[Tensor, int]]):
    """Images [N, C, H, W] uint8 with labels, one at a time."""

    def __init__(self, images: Tensor, labels: Tensor, augment: bool) -> None:
        self.images, self.labels, self.augment = images, labels.tolist(), augment
        pixels = images.float()
        self.mean = pixels.mean(dim=(0, 2, 3))[:, None, None]
        self.deviation = pixels.std(dim=(0, 2, 3))[:, None, None]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = self.images[index]
        if self.augment:
            image = _disturbed(image)
        return (image.float() - self.mean) / self.deviation, self.labels[index]


def _disturbed(image: Tensor) -> Tensor:
    """Crop with 4 pixels, flip and rotation by up to 20 degrees, on Pillow images."""
    from PIL import Image
    from torchvision import transforms

    side = image.shape[1]
    disturb = transforms.Compose(
        [
            transforms.RandomCrop(side, padding=4),
            transforms.RandomHorizontalFlip(),
            transforms.RandomRotation(20),
            transforms.PILToTensor(),
        ]
    )
    found: Tensor = disturb(Image.fromarray(image.permute(1, 2, 0).numpy()))
    return found


def plain(
    module: nn.Module, samples: Samples, batch: int, epochs: int, device: torch.device
) -> list[float]:
    """Train as anybody would write it; the seconds of every epoch."""
    seconds = []
    loader = DataLoader(
        samples, batch, shuffle=True, num_workers=WORKERS, persistent_workers=True,
        pin_memory=device.type == "cuda",
    )  # fmt: skip
    optimiser = torch.optim.SGD(module.parameters(), lr=RATE, momentum=MOMENTUM, weight_decay=DECAY)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=RATE, epochs=max(1, epochs), steps_per_epoch=len(loader)
    )
    criterion = nn.CrossEntropyLoss()
    with tempfile.TemporaryDirectory() as folder:
        for epoch in range(epochs):
            began, total = time.perf_counter(), 0.0
            module.train()
            for given, wanted in loader:
                inputs, labels = given.to(device), wanted.to(device)
                optimiser.zero_grad()
                loss = criterion(module(inputs), labels)
                loss.backward()
                optimiser.step()
                scheduler.step()
                total += loss.item() * len(labels)
            torch.save(module.state_dict(), Path(folder) / f"{epoch}.pt")
            seconds.append(time.perf_counter() - began)
    return seconds


def ours(
    architecture: str, width: int, batch: int, epochs: int, device: torch.device
) -> list[float]:
    """Train the seeds of a cell and write their store; the mean seconds of an epoch of all."""
    from populations import onecycle, spec_of, task_on

    from phasezoo import rng
    from phasezoo.models.build import build, initialise
    from phasezoo.models.flat import buffer_layout, parameter_layout
    from phasezoo.store.weights import write_block
    from phasezoo.training.member import Member
    from phasezoo.training.population import train_population
    from phasezoo.training.train import start

    torch.set_num_threads(1)
    spec, task = spec_of(architecture, width), task_on(device)
    module = build(spec, task.shape, task.classes)
    members = []
    for seed in range(SEEDS):
        names = (architecture, f"width={width}", f"batch_size={batch}", f"seed={seed}")
        initialise(module, rng.generator(*names, "init"))
        members.append(Member(names, task, onecycle(batch, epochs), start(module)))
    layouts = (parameter_layout(module), buffer_layout(module))
    began = time.perf_counter()
    trained = train_population(module.to(device), members, (0, epochs))
    took = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder:
        write_block(Path(folder), trained.checkpoints, layouts)
    return [took / epochs]


def main() -> None:
    """Train once, and print the seconds of an epoch."""
    way, architecture, width, batch, seed, epochs = sys.argv[1:]
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if way == "ours":
        found = ours(architecture, int(width), int(batch), int(epochs), device)
    else:
        from populations import images, spec_of

        from phasezoo.models.build import build

        torch.manual_seed(int(seed))
        pixels, labels = images()
        module = build(spec_of(architecture, int(width)), tuple(pixels.shape[1:]), 10).to(device)
        samples = Samples(pixels, labels, augment=False)
        found = plain(module, samples, int(batch), int(epochs), device)
    print(statistics.median(found))


if __name__ == "__main__":
    main()

"""A data set on a device: normalised inputs and labels, ready to train and measure on."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
import xarray as xr
from torch import Tensor

from phasezoo import rng
from phasezoo.vocabulary import Split


@dataclass(frozen=True)
class Task:
    """Inputs [N, C, H, W] float32, normalised per channel; labels [N] int64.

    Training labels carry the label noise of the spec; test labels are clean. `black` [C] or [1] is
    the value of a black pixel among the inputs, which augmentation fills with.
    """

    name: str
    train_inputs: Tensor
    train_labels: Tensor
    test_inputs: Tensor
    test_labels: Tensor
    classes: int
    black: Tensor = field(default_factory=lambda: torch.zeros(1))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one input, [C, H, W]."""
        return tuple(self.train_inputs.shape[1:])

    def training_sample(self, samples: int, *purpose: str) -> tuple[Tensor, Tensor]:
        """A fixed sample of the clean training inputs, the same for all models of a data set.

        Args:
            samples: how many; the whole training set where it has no more.
            purpose: names the sample.
        """
        chosen = self._choose(len(self.train_labels), samples, *purpose)
        return self.train_inputs[chosen], self.train_labels[chosen]

    def test_sample(self, samples: int, *purpose: str) -> tuple[Tensor, Tensor]:
        """The same of the test set."""
        chosen = self._choose(len(self.test_labels), samples, *purpose)
        return self.test_inputs[chosen], self.test_labels[chosen]

    def _choose(self, available: int, samples: int, *purpose: str) -> Tensor:
        order = torch.randperm(available, generator=rng.generator(self.name, "sample", *purpose))
        return order[:samples].sort().values.to(self.train_labels.device)


def task_from(data: xr.Dataset, name: str, device: torch.device) -> Task:
    """The task that a labelled data set (`phasezoo.data.labelled`) describes."""
    scale = (1, -1, 1, 1)
    mean = torch.from_numpy(data["mean"].values).reshape(scale)
    deviation = torch.from_numpy(data["standard_deviation"].values).reshape(scale)
    inputs = (torch.from_numpy(data["image"].values).float() - mean) / deviation
    train = torch.from_numpy(data["split"].values == Split.TRAIN)
    given = torch.from_numpy(data["given_label"].values).long()
    label = torch.from_numpy(data["label"].values).long()
    return Task(
        name=name,
        train_inputs=inputs[train].to(device),
        train_labels=given[train].to(device),
        test_inputs=inputs[~train].to(device),
        test_labels=label[~train].to(device),
        classes=len(str(data.attrs["classes"]).split()),
        black=(-mean / deviation).flatten().to(device),
    )

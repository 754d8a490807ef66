"""A data set on a device, with what is asked of a network: ready to train and measure on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
import xarray as xr
from torch import Tensor

from phasezoo import rng
from phasezoo.data.objective import CLASSIFICATION, Classification, NextToken, Objective
from phasezoo.data.physics import Physics, physics, rows_of, targets_of, with_coefficient
from phasezoo.data.points import KIND as POINTS
from phasezoo.data.sample import Sample, Set
from phasezoo.spec.labelled_text import LABELLED_TEXT
from phasezoo.vocabulary import COEFFICIENT, Number, Split

_FEATURES = 256  # numbers for each token that bound how many windows go in at once


@dataclass(frozen=True)
class Task:
    """Inputs and labels of a training and a test set, and how answers to them are judged.

    Images are [N, C, H, W] float32, normalised per channel, their labels [N] int64; training labels
    carry the label noise of the spec, test labels are clean. Windows of text are [N, T] int64 with
    labels [N, T], the next tokens, or one class each, [N]. Points of an equation are rows [N, 8]
    with targets [N, 4] (`phasezoo.data.physics`).

    `classes` is the number of outputs of a network for one input, or one position; `black` [C] or
    [1] the value of a black pixel among the inputs, which augmentation fills with; `vocabulary`
    the number of tokens that inputs are made of.
    """

    name: str
    train_inputs: Tensor
    train_labels: Tensor
    test_inputs: Tensor
    test_labels: Tensor
    classes: int
    objective: Objective = CLASSIFICATION
    black: Tensor = field(default_factory=lambda: torch.zeros(1))
    vocabulary: int | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one input of a network."""
        return self.objective.input_shape(self.train_inputs)

    def at(self, hyperparameter: str, value: Number) -> Task:
        """The task at one value of an axis: another equation where its coefficient is one."""
        if hyperparameter != COEFFICIENT or not isinstance(self.objective, Physics):
            return self
        return _physics(self, with_coefficient(self.objective, float(value)))

    def training_sample(self, samples: int, *purpose: str) -> tuple[Tensor, Tensor]:
        """A fixed sample of the clean training inputs, the same for all models of a data set.

        Args:
            samples: how many; the whole training set where it has no more.
            purpose: names the sample.
        """
        return self.take(self.sample("train", samples, *purpose))

    def test_sample(self, samples: int, *purpose: str) -> tuple[Tensor, Tensor]:
        """The same of the test set."""
        return self.take(self.sample("test", samples, *purpose))

    def sample(self, of: Set, samples: int, *purpose: str) -> Sample:
        """Which samples these are."""
        available = len(self.train_labels if of == "train" else self.test_labels)
        seed = rng.seed_of(self.name, "sample", *purpose)
        return Sample(of, min(samples, available), available, seed)

    def take(self, sample: Sample) -> tuple[Tensor, Tensor]:
        """Inputs and labels of a sample."""
        chosen = sample.indices.to(self.train_labels.device)
        if sample.set == "train":
            return self.train_inputs[chosen], self.train_labels[chosen]
        return self.test_inputs[chosen], self.test_labels[chosen]


def task_from(data: xr.Dataset, name: str, device: torch.device) -> Task:
    """The task that a labelled data set (`phasezoo.data.labelled`) describes."""
    match data.attrs.get("kind", "images"):
        case "text":
            return _text(data, name, device)
        case kind if kind == LABELLED_TEXT:
            return _labelled_text(data, name, device)
        case kind if kind == POINTS:
            return _points(data, name, device)
        case _:
            return _images(data, name, device)


def _images(data: xr.Dataset, name: str, device: torch.device) -> Task:
    scale = (1, -1, 1, 1)
    mean = torch.from_numpy(data["mean"].values).reshape(scale)
    deviation = torch.from_numpy(data["standard_deviation"].values).reshape(scale)
    images = torch.from_numpy(data["image"].values)
    train = torch.from_numpy(data["split"].values == Split.TRAIN)
    given = torch.from_numpy(data["given_label"].values).long()
    label = torch.from_numpy(data["label"].values).long()

    def normalised(of_set: Tensor) -> Tensor:
        """In place, because the largest sets take gigabytes."""
        return images[of_set].float().sub_(mean).div_(deviation).to(device)

    return Task(
        name=name,
        train_inputs=normalised(train),
        train_labels=given[train].to(device),
        test_inputs=normalised(~train),
        test_labels=label[~train].to(device),
        classes=len(str(data.attrs["classes"]).split()),
        objective=Classification(images[0].numel()),
        black=(-mean / deviation).flatten().to(device),
    )


def _text(data: xr.Dataset, name: str, device: torch.device) -> Task:
    """Windows: every position but the last is an input, every one but the first a target.

    Both are views of one tensor, because the largest sets take gigabytes.
    """
    tokens = data["token"].values
    is_train = data["split"].values == Split.TRAIN
    train, test = (
        torch.from_numpy(tokens[side].astype("int64")).to(device) for side in (is_train, ~is_train)
    )
    vocabulary = int(data.attrs["vocabulary"])
    return Task(
        name=name,
        train_inputs=train[:, :-1],
        train_labels=train[:, 1:],
        test_inputs=test[:, :-1],
        test_labels=test[:, 1:],
        classes=vocabulary,
        objective=NextToken(tokens.shape[1] - 1, vocabulary),
        vocabulary=vocabulary,
    )


def _labelled_text(data: xr.Dataset, name: str, device: torch.device) -> Task:
    """Windows with one label each."""
    tokens = torch.from_numpy(data["token"].values.astype("int64")).to(device)
    label = torch.from_numpy(data["label"].values.astype("int64")).to(device)
    train = torch.from_numpy(data["split"].values == Split.TRAIN).to(device)
    return Task(
        name=name,
        train_inputs=tokens[train],
        train_labels=label[train],
        test_inputs=tokens[~train],
        test_labels=label[~train],
        classes=len(str(data.attrs["classes"]).split()),
        objective=Classification(_FEATURES * tokens.shape[1]),
        vocabulary=int(data.attrs["vocabulary"]),
    )


def _points(data: xr.Dataset, name: str, device: torch.device) -> Task:
    rows, train = rows_of(data).to(device), torch.from_numpy(data["split"].values == Split.TRAIN)
    objective = physics(str(data.attrs["equation"]), float(data.attrs["coefficient"]))
    train_rows, test_rows = rows[train.to(device)], rows[~train.to(device)]
    task = Task(name, train_rows, train_rows, test_rows, test_rows, classes=1, objective=objective)
    return _physics(task, objective)


def _physics(task: Task, objective: Physics) -> Task:
    """A task with the objective and the targets of an equation."""
    return replace(
        task,
        objective=objective,
        train_labels=targets_of(objective, task.train_inputs),
        test_labels=targets_of(objective, task.test_inputs),
    )

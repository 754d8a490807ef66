"""Models to train, for the benchmarks of populations."""

from __future__ import annotations

import functools
from pathlib import Path

import torch
from digits_networks import digits
from sklearn.datasets import load_digits
from torch import Tensor

from phasezoo import rng
from phasezoo.data.labelled import labelled
from phasezoo.data.task import Task, task_from
from phasezoo.models.build import build, initialise
from phasezoo.spec import architecture as spec
from phasezoo.spec import jobs, read_study
from phasezoo.spec.training import OneCycle, Optimisation, Sgd
from phasezoo.training.member import Member
from phasezoo.training.train import start


def spec_of(architecture: str, width: int) -> spec.Architecture:
    """Of a zoo of the default study, or a ResNet-18."""
    match architecture:
        case "mlp":
            return spec.Mlp(name="mlp", hidden_layers=2, width=width)
        case "resnet":
            return spec.SmallResNet(name="small-resnet", stages=2, width=width)
        case _:
            return spec.ResNet(name="resnet-18", width=width)


def onecycle(batch: int, epochs: int) -> Optimisation:
    """As the zoos of the default study are trained."""
    schedule = OneCycle(
        name="onecycle", epochs=max(1, epochs), pct_start=0.3, div_factor=25.0,
        final_div_factor=1e4, cycle_momentum=True, base_momentum=0.85, max_momentum=0.95,
    )  # fmt: skip
    sgd = Sgd(name="sgd", learning_rate=0.1, momentum=0.9, weight_decay=5e-4, nesterov=False)
    return Optimisation(optimiser=sgd, schedule=schedule, batch_size=batch)


@functools.cache
def images() -> tuple[Tensor, Tensor]:
    """Digits as files have them: [1200, 1, 8, 8] uint8 and labels."""
    pixels, labels = load_digits(return_X_y=True)
    found = torch.from_numpy(pixels[:1200]).to(torch.uint8).reshape(-1, 1, 8, 8)
    return found, torch.from_numpy(labels[:1200]).long()


@functools.cache
def task_on(device: torch.device) -> Task:
    """Digits on a device; 1,200 to train on, the first 597 of them to look at."""
    inputs, labels = (tensor.to(device) for tensor in digits())
    return Task("digits", inputs, labels, inputs[:597], labels[:597], 10)


@functools.cache
def colours(samples: int = 512) -> Task:
    """Random images of the shape of CIFAR's."""
    chance = rng.generator("benchmark", "colours")
    inputs = torch.randn(samples, 3, 32, 32, generator=chance)
    labels = torch.randint(10, (samples,), generator=chance)
    return Task("colours", inputs, labels, inputs[:128], labels[:128], 10)


def member_of(architecture: spec.Architecture, task: Task, batch: int, seed: int = 0) -> Member:
    """A model with initial weights."""
    module = build(architecture, task.shape, task.classes)
    initialise(module, rng.generator("benchmark", seed))
    how = onecycle(batch, 60)
    return Member(("benchmark", f"seed={seed}"), task, how, start(module, how.optimiser.moments))


def pinns() -> tuple[spec.Architecture, list[Member]]:
    """The models of the zoo `convection-pinn`, all coefficients and learning rates."""
    study = read_study(Path(__file__).parents[1] / "params.yaml")
    zoo = study.zoos["convection-pinn"]
    whole = task_from(labelled(study.data[zoo.dataset]), "convection", torch.device("cpu"))
    architecture, found = jobs.at_load(zoo, zoo.load.all_values[0]), []
    for load in zoo.load.all_values:
        task = whole.at(zoo.load.hyperparameter, load)
        for heat in zoo.temperature.all_values:
            how = jobs.at_temperature(zoo, heat)
            for seed in range(3):
                module = build(architecture, task.shape, task.classes)
                names = ("benchmark", str(load), str(heat), str(seed))
                initialise(module, rng.generator(*names))
                found.append(Member(names, task, how, start(module, how.optimiser.moments)))
    return architecture, found

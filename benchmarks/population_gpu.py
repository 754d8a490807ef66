"""Training of the zoos of the paper on a GPU: steps, share of peak, hours of a zoo.

python benchmarks/population_gpu.py [--epochs 20000]

Without a GPU it says so. With one it prints, in one run: steps of ResNet-18 at widths 2 to 32 and
batches 8 to 128, alone and together; width 256 in every precision with its share of peak; GPU
hours of each zoo beside a plain loop; and the published PINN zoo, trained as one job. Hours are
those of steps, measured on random data of the real shapes at every third load and batch size;
others take those of the nearest below. A step of the plain loop is the same, uncaptured and alone,
or as long as six loader workers (or one a core) need for its batch, whichever is longer.
"""

from __future__ import annotations

import argparse
import functools
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path

import torch
from plain_training import WORKERS, Samples
from populations import member_of, spec_of
from torch.utils.data import DataLoader
from torch.utils.flop_counter import FlopCounterMode

from phasezoo import rng
from phasezoo.data.inputs import inputs_of
from phasezoo.data.labelled import labelled
from phasezoo.data.objective import NextToken
from phasezoo.data.task import Task, task_from
from phasezoo.models.build import build, initialise
from phasezoo.spec import jobs, read_study
from phasezoo.spec.data import DataSpec
from phasezoo.spec.equation import EquationPoints
from phasezoo.spec.published import Published
from phasezoo.spec.zoo import Zoo
from phasezoo.training.choice import choose, milliseconds, synchronise
from phasezoo.training.fit import free_bytes
from phasezoo.training.flat import FlatStepper
from phasezoo.training.member import Member
from phasezoo.training.population import train_population
from phasezoo.training.train import Run, start
from phasezoo.vocabulary import Number

GPU = torch.device("cuda")
PARAMS = Path(__file__).parents[1] / "params.yaml"
SOME = 4096  # samples of random data
PEAK = {"float32": 67e12, "tf32": 495e12, "bf16": 989e12}  # of an H100 or H200, dense, NVIDIA
PLAIN_RUNS, STEPS = 3, 10
STUDY = read_study(PARAMS)
PAPER = [
    name
    for name, zoo in STUDY.zoos.items()
    if zoo.training.device == "gpu" and STUDY.data[zoo.dataset].source != "digits"
]


@functools.cache
def task_like(spec: DataSpec) -> Task:
    """Random data of the shape of a data set on the GPU; points are what they are."""
    if isinstance(spec, EquationPoints):
        return task_from(labelled(spec), spec.source, GPU)
    given = inputs_of(spec)
    assert given is not None
    chance = rng.generator("benchmark", spec.source)
    if isinstance(spec, Published):
        inputs = torch.randn(SOME, *given.shape, generator=chance).to(GPU)
        labels = torch.randint(given.outputs, (SOME,), generator=chance).to(GPU)
        black = torch.zeros(given.shape[0], device=GPU)
        return Task(spec.source, inputs, labels, inputs, labels, given.outputs, black=black)
    tokens = torch.randint(given.outputs, (SOME // 4, given.shape[0] + 1), generator=chance)
    inputs, labels = tokens[:, :-1].to(GPU), tokens[:, 1:].to(GPU)
    objective = NextToken(given.shape[0], given.outputs)
    return Task(spec.source, inputs, labels, inputs, labels, given.outputs, objective)


def samples_of(spec: DataSpec) -> int:
    """Training samples of the real set."""
    if isinstance(spec, Published):
        return spec.numbers.train
    return len(task_like(spec).train_labels) if isinstance(spec, EquationPoints) else spec.train


def cell(zoo: Zoo, load: Number, heat: Number) -> list[Member]:
    """The models of a cell, with initial weights."""
    task = task_like(STUDY.data[zoo.dataset]).at(zoo.load.hyperparameter, load)
    how, architecture = jobs.at_cell(zoo, load, heat), jobs.at_load(zoo, load)
    found = []
    for seed in (seed for block in zoo.seeds for seed in block):
        module = build(architecture, task.shape, task.classes)
        names = ("benchmark", str(load), str(heat), str(seed))
        initialise(module, rng.generator(*names))
        found.append(Member(names, task, how, start(module, how.optimiser.moments)))
    return found


def step_hours(zoo: Zoo, load: Number, heat: Number) -> tuple[float, float]:
    """Milliseconds of a step and model, here and in a plain loop."""
    members = cell(zoo, load, heat)
    task = members[0].task
    module = build(jobs.at_load(zoo, load), task.shape, task.classes).to(GPU)
    chosen = choose(module, members, members[0].origin.epoch + 1000, free_bytes(GPU))
    together = members[: chosen.together]
    ours = chosen.milliseconds.get(chosen.together) or milliseconds(module, together, 1000)
    plain = eager(module, members[0])
    batch = members[0].optimisation.batch_size
    if isinstance(STUDY.data[zoo.dataset], Published) and isinstance(batch, int):
        plain = max(plain, batch / loader_rate(task.shape) * 1e3)
    return ours, plain


def eager(module: torch.nn.Module, member: Member) -> float:
    """Milliseconds of an uncaptured step of one model."""
    run = Run(module.train(), member.task, member.optimisation, member.names, member.origin, 1000)
    assert isinstance(run.optimiser, FlatStepper)
    times = []
    for _ in range(1 + PLAIN_RUNS):
        synchronise(GPU)
        began = time.perf_counter()
        steps = sum(1 for _ in islice(run.steps_of(run.optimiser, 1), STEPS))
        synchronise(GPU)
        times.append((time.perf_counter() - began) / steps)
    return min(times[1:]) * 1e3


@functools.cache
def loader_rate(shape: tuple[int, ...]) -> float:
    """Augmented samples a second of a loader with worker processes."""
    images = torch.randint(256, (SOME, *shape), dtype=torch.uint8)
    data = Samples(images, torch.zeros(SOME), augment=True)
    loader = DataLoader(data, 128, num_workers=WORKERS, persistent_workers=True)
    list(loader)  # starts the workers
    began = time.perf_counter()
    list(loader)
    return SOME / (time.perf_counter() - began)


def hours() -> None:
    """GPU hours of training each zoo."""
    print("\n| zoo | models | GPU hours here | plain loop | ratio |\n|---|---|---|---|---|")
    for name in PAPER:
        zoo = STUDY.zoos[name]
        if not torch.cuda.is_available():
            print(f"| {name} | {zoo.models} | not measured on a GPU | not measured on a GPU | |")
            continue
        ours, plain = _hours(zoo)
        print(
            f"| {name} | {zoo.models} | {ours:.1f} | {plain:.1f} | {plain / ours:.1f} |", flush=True
        )


def _hours(zoo: Zoo) -> tuple[float, float]:
    total = [0.0, 0.0]
    samples, epochs = samples_of(STUDY.data[zoo.dataset]), zoo.training.saved_epochs[-1]
    seeds = sum(map(len, zoo.seeds))
    loads, heats = sorted(zoo.load.all_values), sorted(zoo.temperature.all_values)
    for row in range(len(loads)):
        for column, heat in enumerate(heats):
            measured = _step(zoo, loads[row - row % 3], heats[column - column % 3])
            batch = jobs.at_temperature(zoo, heat).batch_size
            steps = epochs * (-(-samples // batch) if isinstance(batch, int) else 1)
            for way, ms in enumerate(measured):
                total[way] += ms * steps * seeds / 3.6e6
    return total[0], total[1]


_known: dict[tuple[int, Number, Number], tuple[float, float]] = {}


def _step(zoo: Zoo, load: Number, heat: Number) -> tuple[float, float]:
    key = (id(zoo), load, heat)
    if key not in _known:
        _known[key] = step_hours(zoo, load, heat)
        torch.cuda.empty_cache()
    return _known[key]


def residual() -> None:
    """Steps of ResNet-18."""
    task = task_like(STUDY.data["cifar10"])
    heads = "width | batch | ms eager | ms alone | together | ms a model"
    print(f"\n| {heads} |\n|{'---|' * 6}")
    for width in (2, 4, 8, 16, 32):
        for batch in (8, 32, 128):
            spec = spec_of("resnet-18", width)
            module = build(spec, task.shape, task.classes).to(GPU)
            some = [member_of(spec, task, batch, seed) for seed in range(24)]
            chosen = choose(module, some, 1000, free_bytes(GPU))
            best = chosen.milliseconds
            row = f"{eager(module, some[0]):.3f} | {best[1]:.3f} | {chosen.together}"
            print(f"| {width} | {batch} | {row} | {best[chosen.together]:.3f} |", flush=True)
    print("\n| width 256, batch 128 | ms | TFLOP/s | share of peak |\n|---|---|---|---|")
    spec = spec_of("resnet-18", 256)
    module = build(spec, task.shape, task.classes).to(GPU)
    counter = FlopCounterMode(display=False)
    with counter:
        module(task.train_inputs[:128]).sum().backward()
    for precision, peak in PEAK.items():
        one = member_of(spec, task, 128)
        one = replace(
            one, optimisation=one.optimisation.model_copy(update={"precision": precision})
        )
        took = milliseconds(module, [one], 1000)
        speed = counter.get_total_flops() / took * 1e3
        print(f"| {precision} | {took:.1f} | {speed / 1e12:.0f} | {speed / peak:.0%} |", flush=True)


def pinns(epochs: int) -> None:
    """Every model of the published PINN zoo, in one job."""
    zoo = STUDY.zoos["convection-pinn-published"]
    members = [
        member
        for load in zoo.load.all_values
        for heat in zoo.temperature.all_values
        for member in cell(zoo, load, heat)
    ]
    task = members[0].task
    module = build(jobs.at_load(zoo, zoo.load.all_values[0]), task.shape, task.classes).to(GPU)
    began = time.perf_counter()
    trained = train_population(module, members, (epochs,), print)
    took = time.perf_counter() - began
    alone = eager(module, members[0]) * epochs * len(members) / 1e3
    print(f"\n{len(members)} PINNs, {epochs} epochs: {took:.0f} s, {trained.choices[0]}")
    print(f"one after the other, uncaptured: {alone:.0f} s ({alone / took:.0f} times)")


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=20_000, help="of the PINN zoo")
    options = parser.parse_args()
    if torch.cuda.is_available():
        print(torch.cuda.get_device_name())
        residual()
        pinns(options.epochs)
    else:
        print("ResNet-18, share of peak, the PINN zoo: not measured on a GPU, there is none")
    hours()


if __name__ == "__main__":
    main()

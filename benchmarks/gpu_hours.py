"""GPU hours of training the published zoos, here and in a plain loop.

python benchmarks/gpu_hours.py [--seconds 300]

Steps are timed on random data of the real shapes, at four sizes of each architecture and at batch
sizes from 8 on, as long as a step takes less than 0.4 s. Other cells lie between on a line of
logarithms; beyond the largest batch that was timed a step takes as long for each sample. Here the
three seeds of a cell are trained alone or as one program, whichever is faster, with the settings of
a job: deterministic kernels, float32 that is not rounded to tf32. A step of the plain loop is the
same one, uncaptured and alone, in tf32 and by any kernels, or as long as six loader workers need
for its batch, whichever is longer. Data sets of one shape share what is measured. Without a GPU it
says so.
"""

from __future__ import annotations

import argparse
import copy
import functools
import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from plain_training import WORKERS, Samples
from torch import nn
from torch.utils.data import DataLoader

from phasezoo import rng
from phasezoo.data.inputs import inputs_of
from phasezoo.data.objective import NextToken
from phasezoo.data.task import Task
from phasezoo.models.build import build, initialise
from phasezoo.spec import jobs, read_study
from phasezoo.spec.data import DataSpec
from phasezoo.spec.published import Published
from phasezoo.spec.text import OpenWebText
from phasezoo.spec.zoo import Zoo
from phasezoo.steps.device import prepare
from phasezoo.training.choice import synchronise
from phasezoo.training.flat import FlatStepper
from phasezoo.training.member import Member
from phasezoo.training.stacked import Stacked
from phasezoo.training.train import Run, start
from phasezoo.vocabulary import Number

GPU = torch.device("cuda")
STUDY = read_study(Path(__file__).parents[1] / "params.yaml")
SOME = 4096  # samples of random data
SIZES, BATCHES = 4, (8, 64, 512)  # of each architecture
SLOW = 0.4  # seconds of a step, beyond which no larger batch is timed
EPOCHS = 1000  # what rates are laid out for
ZOOS = {
    name: zoo
    for name, zoo in STUDY.zoos.items()
    if isinstance(STUDY.data[zoo.dataset], Published | OpenWebText)
}


@functools.cache
def task_like(shape: tuple[int, ...], outputs: int) -> Task:
    """Random images [C, H, W], or windows of so many tokens, on the GPU."""
    chance = rng.generator("benchmark", *shape)
    if len(shape) == 3:
        inputs = torch.randn(SOME, *shape, generator=chance).to(GPU)
        labels = torch.randint(outputs, (SOME,), generator=chance).to(GPU)
        black = torch.zeros(shape[0], device=GPU)
        return Task("images", inputs, labels, inputs, labels, outputs, black=black)
    tokens = torch.randint(outputs, (SOME // 16, shape[0] + 1), generator=chance).to(GPU)
    inputs, labels = tokens[:, :-1], tokens[:, 1:]
    return Task("text", inputs, labels, inputs, labels, outputs, NextToken(shape[0], outputs))


def task_of(spec: DataSpec) -> Task:
    """Of the shape of a data set."""
    given = inputs_of(spec)
    assert given is not None
    return task_like(given.shape, given.outputs)


def members(zoo: Zoo, load: Number, batch: int) -> tuple[nn.Module, list[Member]]:
    """The network of a size, and its seeds with initial weights."""
    task, size = task_of(STUDY.data[zoo.dataset]), jobs.at_load(zoo, load)
    how = jobs.at_temperature(zoo, zoo.temperature.all_values[0])
    how = how.model_copy(update={"batch_size": batch})
    module, found = build(size, task.shape, task.classes), []
    for seed in range(sum(map(len, zoo.seeds))):
        initialise(module, rng.generator("benchmark", seed))
        begin = start(module, how.optimiser.moments)
        found.append(Member(("benchmark", str(seed)), task, how, begin))
    return module.to(GPU), found


def together(module: nn.Module, some: list[Member]) -> float:
    """Seconds of a step of each of some models, as one captured program."""
    run = Stacked(copy.deepcopy(module), some, EPOCHS)
    run.begin(1)
    size = run.feed.batches[0]

    def steps(count: int) -> float:
        run.taken.zero_()
        run.seen.zero_()
        synchronise(GPU)
        began = time.perf_counter()
        for _ in range(count):
            run.step(size)
        synchronise(GPU)
        return (time.perf_counter() - began) / count

    steps(1)  # captures
    count = int(min(max(0.1 / steps(1), 2), len(run.feed.batches)))
    return min(steps(count) for _ in range(2)) / len(some)


@contextmanager
def any_kernels() -> Iterator[None]:
    """Also those that give other bits each time, as a plain loop has them that sets nothing."""
    torch.set_deterministic_debug_mode("default")
    try:
        yield
    finally:
        prepare(1)


@any_kernels()
def alone(module: nn.Module, one: Member) -> float:
    """Seconds of an uncaptured step of one model, in tf32, which torch's convolutions round to."""
    how = one.optimisation.model_copy(update={"precision": "tf32"})
    run = Run(module.train(), one.task, how, one.names, one.origin, EPOCHS)
    assert isinstance(run.optimiser, FlatStepper)
    taken, count = [], 2
    for _ in range(3):
        synchronise(GPU)
        began = time.perf_counter()
        count = sum(1 for _ in itertools.islice(run.steps_of(run.optimiser, 1), count))
        synchronise(GPU)
        taken.append((time.perf_counter() - began) / count)
        count = int(min(max(0.1 / taken[-1], 2), 20))
    return min(taken[1:])


@functools.cache
def loader_rate(shape: tuple[int, ...]) -> float:
    """Augmented images a second of a loader with worker processes."""
    images = torch.randint(256, (SOME, *shape), dtype=torch.uint8)
    data = Samples(images, torch.zeros(SOME), augment=True)
    loader = DataLoader(data, 128, num_workers=WORKERS, persistent_workers=True)
    list(loader)  # starts the workers
    began = time.perf_counter()
    list(loader)
    return SOME / (time.perf_counter() - began)


@dataclass
class Steps:
    """Seconds of a step by size and batch, here and in a plain loop."""

    found: dict[float, dict[int, tuple[float, float]]] = field(default_factory=dict)

    def at(self, load: float, batch: int, way: int) -> float:
        """Between what was timed, on a line of logarithms of everything."""
        sizes = sorted(self.found)
        rows = [np.log(self._of_size(size, batch, way)) for size in sizes]
        return float(np.exp(np.interp(np.log(load), np.log(sizes), rows)))

    def _of_size(self, size: float, batch: int, way: int) -> float:
        timed = sorted(self.found[size])
        rows = np.log([self.found[size][b][way] for b in timed])
        within = float(np.exp(np.interp(np.log(batch), np.log(timed), rows)))
        return within * max(1.0, batch / timed[-1])


def timed(zoo: Zoo, ends: float) -> Steps:
    """Every size and batch of a zoo that is timed; prints them."""
    steps, loads = Steps(), sorted(float(value) for value in zoo.load.all_values)
    for place in np.linspace(0, len(loads) - 1, SIZES).round().astype(int):
        load = loads[place]
        steps.found[load] = {}
        for batch, row in _row(zoo, zoo.load.all_values[place], ends):
            steps.found[load][batch] = row
    return steps


def _row(zoo: Zoo, load: Number, ends: float) -> Iterator[tuple[int, tuple[float, float]]]:
    spec = STUDY.data[zoo.dataset]
    batches = BATCHES if isinstance(spec, Published) else BATCHES[:1]  # more are accumulated
    for batch in batches:
        try:
            one, stack, plain = _seconds(zoo, load, batch)
        except torch.cuda.OutOfMemoryError:
            return
        finally:
            torch.cuda.empty_cache()
        if isinstance(spec, Published):
            plain = max(plain, batch / loader_rate(task_of(spec).shape))
        times = f"{one * 1e3:.2f} | {stack * 1e3:.2f} | {plain * 1e3:.2f}"
        print(f"| {zoo.architecture.name} | {load} | {batch} | {times} |", flush=True)
        yield batch, (min(one, stack), plain)
        if one * 8 > SLOW or time.monotonic() > ends:
            return


def _seconds(zoo: Zoo, load: Number, batch: int) -> tuple[float, float, float]:
    """Of a step of one model here, of three as one program, and of one in a plain loop."""
    module, some = members(zoo, load, batch)
    one = together(module, some[:1])
    stack = together(module, some) if one < SLOW / 4 else one
    return one, stack, alone(module, some[0])


def hours(zoo: Zoo, steps: Steps) -> tuple[float, float]:
    """GPU hours of a whole zoo, here and in a plain loop."""
    samples, total = STUDY.data[zoo.dataset].training_samples, [0.0, 0.0]
    seeds, epochs = sum(map(len, zoo.seeds)), zoo.training.saved_epochs[-1]
    for load, heat in itertools.product(zoo.load.all_values, zoo.temperature.all_values):
        batch = int(heat)
        count = epochs * -(-samples // batch) * seeds
        for way in (0, 1):
            total[way] += count * steps.at(float(load), batch, way) / 3600
    return total[0], total[1]


def main() -> None:
    """Print what was timed, and the hours of every zoo."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=600, help="after which no more is timed")
    ends = time.monotonic() + parser.parse_args().seconds
    if not torch.cuda.is_available():
        print("GPU hours: not measured on a GPU, there is none")
        return
    prepare(1)
    print(torch.cuda.get_device_name())
    print(f"| network | size | batch | ms alone | ms of three | ms plain |\n|{'---|' * 6}")
    known: dict[tuple[str, tuple[int, ...]], Steps] = {}
    for zoo in ZOOS.values():
        key = (zoo.architecture.name, task_of(STUDY.data[zoo.dataset]).shape)
        if key not in known and time.monotonic() < ends:
            known[key] = timed(zoo, ends)
    print("\n| zoo | models | GPU hours here | plain loop | ratio |\n|---|---|---|---|---|")
    for name, zoo in ZOOS.items():
        steps = known.get((zoo.architecture.name, task_of(STUDY.data[zoo.dataset]).shape))
        if steps is None:
            print(f"| {name} | {zoo.models} | not measured | not measured | |")
            continue
        ours, plain = hours(zoo, steps)
        print(f"| {name} | {zoo.models} | {ours:.0f} | {plain:.0f} | {plain / ours:.1f} |")


if __name__ == "__main__":
    main()

"""Training of zoos beside a plain loop, where its time goes, and what a stack does to rounding.

python benchmarks/population.py [mlp] [resnet] [--profile] [--rounding] [--stacks]

With names: whole trainings of sampled cells of `digits-mlp` and `digits-resnet`, in processes, by
`plain_training.py`, 5 runs of each way in turn. A GPU has `benchmarks/population_gpu.py`.
"""

from __future__ import annotations

import functools
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import torch
from populations import colours, member_of, onecycle, pinns, spec_of, task_on
from torch import nn

from phasezoo.data.task import Task
from phasezoo.models.build import build
from phasezoo.models.flat import buffer_layout, load_weights, parameter_layout
from phasezoo.spec import architecture as spec
from phasezoo.store.weights import write_block
from phasezoo.training.choice import milliseconds
from phasezoo.training.evaluate import evaluate_both
from phasezoo.training.flat import FlatStepper
from phasezoo.training.member import Member
from phasezoo.training.stacked import Stacked
from phasezoo.training.train import Run, train

RUNS, EPOCHS, CORES = 5, 3, 2
SEEDS = 3
COUNTS = (3, 6, 12, 24, 42)  # models together
# two cells of each zoo: a width of the middle, the batch sizes of both ends; and its epochs
CELLS = {"mlp": (16, (8, 512), 60), "resnet": (8, (8, 512), 30)}


def spread(values: list[float]) -> str:
    """Median (least to most)."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def _processes(commands: list[list[str]]) -> tuple[float, list[float]]:
    """Seconds that some processes take at once, and what they say of themselves."""
    script = str(Path(__file__).with_name("plain_training.py"))
    began = time.perf_counter()
    started = [
        subprocess.Popen(
            [sys.executable, script, *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # torch warns of more workers than cores
            text=True,
        )
        for command in commands
    ]
    said = [float(process.communicate()[0]) for process in started]
    return time.perf_counter() - began, said


def beside_the_plain_loop(name: str) -> None:
    """Seconds for each model of a cell on two cores, the whole process counted."""
    width, batches, epochs = CELLS[name]
    print(f"\n| digits-{name}, width {width}, batch | plain, s a model | here, s a model | ratio |")
    print("|---|---|---|---|")
    ratios = []
    for batch in batches:
        found: dict[str, list[float]] = {"plain": [], "ours": []}
        for run in range(RUNS):
            for way, at_once in (("plain", 1), ("ours", CORES)):
                command = [way, name, str(width), str(batch), str(run), str(EPOCHS)]
                wall, said = _processes([command] * at_once)
                whole = wall + max(said) * (epochs - EPOCHS)  # the other epochs are as these
                found[way].append(whole / (1 if way == "plain" else CORES * SEEDS))
        ratio = [a / b for a, b in zip(found["plain"], found["ours"], strict=True)]
        ratios.append(statistics.median(ratio))
        print(
            f"| {batch} | {spread(found['plain'])} | {spread(found['ours'])} | {spread(ratio)} |",
            flush=True,
        )
    print(f"| geometric mean | | | {statistics.geometric_mean(ratios):.1f} |")


def _timed(what: Callable[[], object], times: int) -> float:
    what()
    began = time.perf_counter()
    for _ in range(times):
        what()
    return (time.perf_counter() - began) / times


def profile() -> None:
    """Where the seconds of a training go, from its parts timed one by one, the median of 5."""
    here = task_on(torch.device("cpu"))
    cells = (
        ("digits-mlp, width 16, batch 32", spec_of("mlp", 16), here, 60),
        ("digits-resnet, width 8, batch 32", spec_of("resnet", 8), here, 30),
        ("ResNet-18, width 8, batch 32", spec_of("resnet-18", 8), colours(), 1),
    )
    batch = 32
    heads = "data | forward | backward | optimiser | evaluation | writing | start-up"
    print(f"\n| cell | steps | {heads} |\n|{'---|' * 9}")
    for title, architecture, task, epochs in cells:
        steps = epochs * -(-len(task.train_labels) // batch)
        rows = [list(_parts(architecture, task, batch, steps)) for _ in range(RUNS)]
        middle = [statistics.median(column) for column in zip(*rows, strict=True)]
        whole = sum(middle)
        shares = " | ".join(f"{x:.2f} s, {x / whole:.0%}" for x in middle)
        print(f"| {title} | {steps} | {shares} |", flush=True)


def _parts(architecture: spec.Architecture, task: Task, batch: int, steps: int) -> Iterator[float]:
    member = member_of(architecture, task, batch)
    module = load_weights(build(architecture, task.shape, task.classes), member.origin.weights)
    run = Run(module, task, member.optimisation, member.names, member.origin, 60)
    optimiser = run.optimiser
    assert isinstance(optimiser, FlatStepper)  # SGD, as `member_of` says
    module.train()
    took = dict.fromkeys(("data", "forward", "backward", "step"), 0.0)
    batches, count = run._batches(1), min(12, steps)
    for _ in range(count):
        marks = [time.perf_counter()]
        inputs, labels = next(batches)
        optimiser.zero_grad()
        marks.append(time.perf_counter())
        loss = run._loss(inputs, labels)
        marks.append(time.perf_counter())
        loss.backward()
        marks.append(time.perf_counter())
        optimiser.step(0.01, 0.9)
        marks.append(time.perf_counter())
        for key, a, b in zip(took, marks, marks[1:], strict=False):
            took[key] += b - a
    yield from (seconds / count * steps for seconds in took.values())
    module.eval()
    yield _timed(lambda: evaluate_both(module, task), 1)
    layouts = (parameter_layout(module), buffer_layout(module))
    with tempfile.TemporaryDirectory() as folder:
        yield _timed(lambda: write_block(Path(folder), [[member.origin]], layouts), 1)
    yield _startup()


@functools.cache
def _startup() -> float:
    """Of a process that trains: Python, torch, zarr."""
    command = [sys.executable, "-c", "import phasezoo.steps.train"]
    return _timed(lambda: subprocess.run(command, check=True), 1)


def rounding() -> None:
    """Three models together and one after the other: the largest difference of a weight."""
    print("\n| network | type | largest weight | largest difference |\n|---|---|---|---|")
    networks = {"MLP, width 16": spec_of("mlp", 16), "ResNet, width 4": spec_of("resnet", 4)}
    for title, architecture in networks.items():
        for dtype in (torch.float64, torch.float32):
            largest, apart = differences(architecture, dtype)
            print(f"| {title} | {str(dtype)[6:]} | {largest:.2f} | {apart:.1e} |", flush=True)


def differences(architecture: spec.Architecture, dtype: torch.dtype) -> tuple[float, float]:
    """Largest weight, and largest difference of one between both ways, after an epoch."""
    given = task_on(torch.device("cpu"))
    inputs = given.train_inputs.to(dtype)
    task = Task("digits", inputs, given.train_labels, inputs, given.train_labels, 10)
    members = [
        replace(member_of(architecture, task, 32, seed), optimisation=onecycle(32, 1))
        for seed in range(SEEDS)
    ]

    def fresh() -> nn.Module:
        return build(architecture, task.shape, task.classes).to(dtype)

    stacked = Stacked(fresh(), members, 1)
    stacked.run(1)
    apart = 0.0
    for member, found in zip(members, stacked.stack.vectors.detach(), strict=True):
        module = load_weights(fresh(), member.origin.weights)
        list(train(module, task, member.optimisation, member.names, member.origin, (1,)))
        alone = torch.cat([p.detach().reshape(-1) for p in module.parameters()])
        apart = max(apart, (alone - found).abs().max().item())
    return found.abs().max().item(), apart


def stacks() -> None:
    """How many times faster a step is for each model, by how many are together."""
    print(f"\n| network, batch | ms alone | {' | '.join(map(str, COUNTS))} |\n|{'---|' * 7}")
    mlps = [("mlp", 4, 8), ("mlp", 16, 20), ("mlp", 32, 32), ("mlp", 48, 512)]
    for name, width, batch in [*mlps, ("resnet", 2, 8), ("resnet", 8, 32), ("resnet", 16, 128)]:
        architecture, task = spec_of(name, width), task_on(torch.device("cpu"))
        some = [member_of(architecture, task, batch, seed) for seed in range(max(COUNTS))]
        _stacks(f"{name} of width {width}, {batch}", architecture, some)
    architecture, some = pinns()
    _stacks(f"PINN of width 50, {len(some[0].task.train_labels)}", architecture, some)


def _stacks(title: str, architecture: spec.Architecture, some: list[Member]) -> None:
    module = build(architecture, some[0].task.shape, some[0].task.classes)
    alone = milliseconds(module, some[:1], 60)
    gains = (alone / milliseconds(module, some[:n], 60) for n in COUNTS)
    cells = " | ".join(f"{gain:.1f}" for gain in gains)
    print(f"| {title} | {alone:.3f} | {cells} |", flush=True)


def main() -> None:
    """Print what is asked for."""
    torch.set_num_threads(1)
    for name in CELLS:
        if name in sys.argv:
            beside_the_plain_loop(name)
    for flag, table in (("--profile", profile), ("--rounding", rounding), ("--stacks", stacks)):
        if flag in sys.argv:
            table()


if __name__ == "__main__":
    main()

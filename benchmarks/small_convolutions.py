"""What small convolutional networks gain from kept memory and from being computed together.

    python benchmarks/small_convolutions.py

Three tables, one thread, 1,200 training digits, small ResNets of 2 stages. First: a gradient of a
batch and the scores of a point, with memory that is freed given back to the system as glibc does
it by itself, and kept as the steps of this package have it (a process for each). Second: gradients
of batches of 128 for several curves, one after the other and together, memory kept. Third: the
scores of several points, in the same way.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import torch
from torch import Tensor

from phasezoo import rng
from phasezoo.data.labelled import labelled
from phasezoo.data.task import Task, task_from
from phasezoo.landscape.gradients import Gradients, convolved_gradients, looped_gradients
from phasezoo.landscape.network import Network
from phasezoo.landscape.scores import convolved_scores, looped_scores, scores_of
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import weights_of
from phasezoo.spec.architecture import SmallResNet
from phasezoo.spec.data import Digits
from phasezoo.steps.heap import keep_freed_memory

RUNS, SECONDS = 7, 0.05  # of each number; for one run
BATCHES, WIDTHS, COUNTS = (32, 128, 512), (2, 4, 8, 16), (1, 3, 12)
POINTS = 9
CPU = torch.device("cpu")


def main() -> None:
    """Print the tables."""
    fresh = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(1, fresh, initializer=begin, initargs=(False,)) as back,
        ProcessPoolExecutor(1, fresh, initializer=begin, initargs=(True,)) as kept,
    ):
        print("| width | what | ms, given back | ms, kept | gain |")
        print("|---|---|---|---|---|")
        for width in WIDTHS:
            for batch in (*BATCHES, 0):
                one, other = (pool.submit(step, width, batch).result() for pool in (back, kept))
                what = f"gradient, batch {batch}" if batch else "scores of a point"
                print(f"| {width} | {what} | {one:.2f} | {other:.2f} | {one / other:.2f} |")
        print("\n| width | curves | ms, one by one | ms, together | gain |\n|---|---|---|---|---|")
        for width in WIDTHS:
            for count in COUNTS:
                one, other = kept.submit(curves, width, count).result()
                print(f"| {width} | {count} | {one:.2f} | {other:.2f} | {one / other:.2f} |")
        print("\n| width | points | ms, one by one | ms, together | gain |\n|---|---|---|---|---|")
        for width in WIDTHS:
            one, other = kept.submit(points, width).result()
            print(f"| {width} | {POINTS} | {one:.2f} | {other:.2f} | {one / other:.2f} |")


def begin(kept: bool) -> None:
    """Set up a process."""
    torch.set_num_threads(1)
    if kept:
        keep_freed_memory()


def step(width: int, batch: int) -> float:
    """Milliseconds of a gradient, or of the scores of a point where the batch is 0."""
    network, task = made(width)
    vectors, chosen = drawn(network, 1, batch)
    if not batch:
        return milliseconds(lambda: scores_of(network, task, vectors))
    gradients = looped_gradients(network, task)
    return milliseconds(lambda: gradients(vectors, chosen))


def curves(width: int, count: int) -> tuple[float, float]:
    """Milliseconds of a gradient for each of some curves, one by one and together."""
    network, task = made(width)
    vectors, chosen = drawn(network, count, 128)

    def of(gradients: Gradients) -> float:
        return milliseconds(lambda: gradients(vectors, chosen)) / count

    return of(looped_gradients(network, task)), of(convolved_gradients(network, task))


def points(width: int) -> tuple[float, float]:
    """Milliseconds of the scores of a point, of several one by one and together."""
    network, task = made(width)
    vectors, _ = drawn(network, POINTS, 1)
    together = milliseconds(lambda: convolved_scores(network, task, vectors)) / POINTS
    apart = milliseconds(lambda: looped_scores(network, task, vectors)) / POINTS
    return apart, together


def made(width: int) -> tuple[Network, Task]:
    """A network and the task."""
    data = labelled(Digits(source="digits", recipe=1, train=1200, split_seed=0))
    task = task_from(data, "digits", CPU)
    architecture = SmallResNet(name="small-resnet", stages=2, width=width)
    return Network(build(architecture, task.shape, task.classes), CPU, task.objective), task


def drawn(network: Network, count: int, batch: int) -> tuple[Tensor, Tensor]:
    """Initial weights of some seeds, and a batch for each."""
    vectors, chosen = [], []
    for seed in range(count):
        chance = rng.generator("benchmark", seed)
        initialise(network.module, chance)
        vectors.append(weights_of(network.module).parameters)
        chosen.append(torch.randperm(1200, generator=chance)[:batch])
    return torch.stack(vectors), torch.stack(chosen)


def milliseconds(run: Callable[[], object]) -> float:
    """Median over runs, each of as many calls as take some time."""
    run()
    began = time.perf_counter()
    run()
    calls = max(1, int(SECONDS / (time.perf_counter() - began)))
    found = []
    for _ in range(RUNS):
        began = time.perf_counter()
        for _ in range(calls):
            run()
        found.append((time.perf_counter() - began) / calls)
    return 1000 * statistics.median(found)


if __name__ == "__main__":
    main()

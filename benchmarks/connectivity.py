"""Mode connectivity of all pairs of a cell, beside the code that the reference's was made from.

    git clone https://github.com/timgaripov/dnn-mode-connectivity
    python benchmarks/connectivity.py dnn-mode-connectivity            # the table of README.md
    python benchmarks/connectivity.py dnn-mode-connectivity --profile  # and where the time goes
    python benchmarks/connectivity.py dnn-mode-connectivity MLP        # networks called so only

The peer is the curve layers of that repository as they are (curves.py: three copies of every
weight, mixed layer by layer in each forward pass), see curve_layers.py. Both sides train curves of
the published settings between the same ends, and score the same five points of each curve and of
each straight line, on one thread. Each side runs in a process of its own, because the steps of this
package have the C library keep memory that is freed, which the peer does not.
"""

from __future__ import annotations

import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from importlib import import_module
from itertools import combinations
from pathlib import Path

import torch
from curve_layers import theirs
from torch.profiler import ProfilerActivity, profile

from phasezoo import rng
from phasezoo.data.labelled import labelled
from phasezoo.data.task import Task, task_from
from phasezoo.landscape.connectivity import connect
from phasezoo.landscape.network import Network
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import Weights
from phasezoo.spec.architecture import Architecture, Mlp, SmallResNet
from phasezoo.spec.data import Digits
from phasezoo.spec.metrics import Connectivity
from phasezoo.spec.training import Constant, Optimisation, Sgd
from phasezoo.steps.heap import keep_freed_memory
from phasezoo.training.train import start, train

RUNS, SEEDS, EPOCHS = 5, 7, 10  # of the measurement, of models, of their training
CPU = torch.device("cpu")
OPTIONS = Connectivity.model_validate({"epochs": [0], "as_published": True})
NETWORKS: dict[str, Architecture] = {
    "MLP, 2 hidden layers of 16": Mlp(name="mlp", hidden_layers=2, width=16),
    **{
        f"small ResNet, 2 stages, width {width}": SmallResNet(
            name="small-resnet", stages=2, width=width
        )
        for width in (2, 4, 8)
    },
}
BROAD = "small ResNet, 2 stages, width 8"  # its curves are trained one by one
Ends = Sequence[tuple[Weights, Weights]]
CELL, MANY = "this package, a cell", "this package, 21 pairs"
PEER = "dnn-mode-connectivity"
SEEDS_OF = {CELL: 3, MANY: SEEDS, PEER: 3}


def main() -> None:
    """Print the table, and with ``--profile`` shares of time."""
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    peer = str(Path(sys.argv[1]).resolve())
    fresh = multiprocessing.get_context("spawn")
    workers = {
        kept: ProcessPoolExecutor(1, fresh, initializer=begin, initargs=(peer, kept))
        for kept in (True, False)
    }
    print("| network | procedure | pairs | s per pair, median | least | most | time against this |")
    print("|---|---|---|---|---|---|---|")
    words = [word for word in sys.argv[2:] if not word.startswith("--")]
    for name in (name for name in NETWORKS if all(word in name for word in words)):
        ways = [CELL, PEER, *([] if name == BROAD else [MANY])]
        worker_of = {way: workers[way != PEER] for way in ways}
        report(name, worker_of)
        if "--profile" in sys.argv:
            for way, worker in worker_of.items():
                print(f"{way}: {worker.submit(shares, name, way).result()}", file=sys.stderr)


def begin(peer: str, kept: bool) -> None:
    """Set up a process that runs one of the sides."""
    torch.set_num_threads(1)
    sys.path.insert(0, peer)
    if kept:
        keep_freed_memory()


def report(name: str, worker_of: dict[str, ProcessPoolExecutor]) -> None:
    """Time the ways in turn and print one row each."""
    seconds: dict[str, list[float]] = {way: [] for way in worker_of}
    heights: dict[str, list[float]] = {way: [] for way in worker_of}
    for _ in range(RUNS):
        for way, worker in worker_of.items():
            taken, found = worker.submit(timed, name, way).result()
            heights[way] += found
            seconds[way].append(taken / len(found))
    base = statistics.median(seconds[CELL])
    for way, found in seconds.items():
        middle = statistics.median(found)
        row = f"{middle:.4f} | {min(found):.4f} | {max(found):.4f} | {middle / base:.2f}"
        pairs = len(heights[way]) // RUNS
        print(f"| {name} | {way} | {pairs} | {row} |", flush=True)
    means = ", ".join(f"{way} {100 * statistics.mean(heights[way]):.2f}" for way in (CELL, PEER))
    print(f"{name}: mean mode connectivity in points: {means}", file=sys.stderr)


def timed(name: str, way: str) -> tuple[float, list[float]]:
    """Seconds of a way, and the mode connectivity of its pairs."""
    run = runner(name, way)
    began = time.perf_counter()
    found = run()
    return time.perf_counter() - began, found


def runner(name: str, way: str) -> Callable[[], list[float]]:
    """A way, ready to run."""
    architecture, (task, models) = NETWORKS[name], ends_of(name)
    pairs = list(combinations(models[: SEEDS_OF[way]], 2))
    if way == PEER:
        curves = import_module("curves")
        return lambda: theirs(curves, architecture, task, pairs, OPTIONS)
    network = Network(build(architecture, task.shape, task.classes), CPU)
    return lambda: ours(network, task, pairs)


@cache
def ends_of(name: str) -> tuple[Task, list[Weights]]:
    """The task, and models trained on it."""
    data = labelled(Digits(source="digits", recipe=1, train=1200, split_seed=0))
    task = task_from(data, "digits", CPU)
    return task, trained(NETWORKS[name], task)


def trained(architecture: Architecture, task: Task) -> list[Weights]:
    """Models of some seeds, trained a little."""
    optimiser = Sgd(name="sgd", learning_rate=0.1, momentum=0.9, weight_decay=5e-4, nesterov=False)
    how = Optimisation(optimiser=optimiser, schedule=Constant(name="constant"), batch_size=64)
    found = []
    for seed in range(SEEDS):
        module = build(architecture, task.shape, task.classes)
        initialise(module, rng.generator("benchmark", seed))
        names = ("benchmark", str(seed))
        found += [c.weights for c in train(module, task, how, names, start(module), (EPOCHS,))]
    return found


def ours(network: Network, task: Task, ends: Ends) -> list[float]:
    """Mode connectivity of all pairs, together."""
    chances = [rng.generator("benchmark", "pair", i) for i in range(len(ends))]
    found = connect(network, task, ends, OPTIONS, chances)
    return [connection.mode_connectivity.value for connection in found]


# --- where the time goes ---

ARITHMETIC = ("convolution", "addmm", "bmm", "aten::mm", "batch_norm", "softmax", "nll")


def shares(name: str, way: str) -> str:
    """Arithmetic of layers and loss, other operations of the framework, and Python."""
    run = runner(name, way)
    began = time.perf_counter()
    with profile(activities=[ProfilerActivity.CPU]) as found:
        run()
    wall = time.perf_counter() - began
    own = {event.key: event.self_cpu_time_total / 1e6 for event in found.key_averages()}
    layers = sum(s for key, s in own.items() if any(part in key for part in ARITHMETIC))
    rest = sum(own.values()) - layers
    parts = {"layers and loss": layers, "rest of torch": rest, "Python": wall - layers - rest}
    return ", ".join(f"{name} {100 * s / wall:.0f} %" for name, s in parts.items())


if __name__ == "__main__":
    main()

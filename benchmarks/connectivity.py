"""Mode connectivity of all pairs of a cell, beside the code that the reference's was made from.

    git clone https://github.com/timgaripov/dnn-mode-connectivity
    python benchmarks/connectivity.py dnn-mode-connectivity            # the table of README.md
    python benchmarks/connectivity.py dnn-mode-connectivity --profile  # and where the time goes

The peer is the curve layers of that repository as they are (curves.py: three copies of every
weight, mixed layer by layer in each forward pass), see curve_layers.py. Both sides train curves of
the published settings between the same ends and look at the same five points, on one thread; this
package scores the straight lines as well.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
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
from phasezoo.training.train import start, train

RUNS, SEEDS, EPOCHS = 5, 7, 10  # of the measurement, of models, of their training
CPU = torch.device("cpu")
OPTIONS = Connectivity.model_validate({"epochs": [0], "as_published": True})
NETWORKS = {
    "MLP, 2 hidden layers of 16": Mlp(name="mlp", hidden_layers=2, width=16),
    "small ResNet, 2 stages, width 2": SmallResNet(name="small-resnet", stages=2, width=2),
    "small ResNet, 2 stages, width 8": SmallResNet(name="small-resnet", stages=2, width=8),
}
Ends = Sequence[tuple[Weights, Weights]]
Ways = dict[str, tuple[Callable[[], list[float]], int]]
PEER = "dnn-mode-connectivity"


def main() -> None:
    """Print the table, and with ``--profile`` shares of time."""
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    torch.set_num_threads(1)
    sys.path.insert(0, str(Path(sys.argv[1]).resolve()))
    import curves

    task = task_from(
        labelled(Digits(source="digits", recipe=1, train=1200, split_seed=0)), "digits", CPU
    )
    print("| network | procedure | pairs | s per pair, median | least | most | time against this |")
    print("|---|---|---|---|---|---|---|")
    for name, architecture in NETWORKS.items():
        models = trained(architecture, task)
        network = Network(build(architecture, task.shape, task.classes), CPU)
        cell = list(combinations(models[:3], 2))
        ways: Ways = {
            "this package, a cell": (partial(ours, network, task, cell), len(cell)),
            PEER: (partial(theirs, curves, architecture, task, cell, OPTIONS), len(cell)),
        }
        if isinstance(architecture, Mlp):
            many = list(combinations(models, 2))
            ways["this package, 21 pairs"] = (partial(ours, network, task, many), len(many))
        report(name, ways)
        if "--profile" in sys.argv:
            for way, (run, _) in ways.items():
                print(f"{way}: {shares(run)}", file=sys.stderr)


def report(name: str, ways: Ways) -> None:
    """Time the ways in turn and print one row each."""
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    heights: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(RUNS):
        for way, (run, pairs) in ways.items():
            began = time.perf_counter()
            heights[way] += run()
            seconds[way].append((time.perf_counter() - began) / pairs)
    base = statistics.median(seconds["this package, a cell"])
    for way, found in seconds.items():
        middle = statistics.median(found)
        row = f"{middle:.4f} | {min(found):.4f} | {max(found):.4f} | {middle / base:.2f}"
        print(f"| {name} | {way} | {ways[way][1]} | {row} |", flush=True)
    means = ", ".join(f"{way} {100 * statistics.mean(heights[way]):.2f}" for way in list(ways)[:2])
    print(f"{name}: mean mode connectivity in points: {means}", file=sys.stderr)


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


def shares(run: Callable[[], object]) -> str:
    """Arithmetic of layers and loss, other operations of the framework, and Python."""
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

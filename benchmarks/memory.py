"""Peak memory of every family of metrics on networks of about ten million parameters.

python benchmarks/memory.py

Each is measured in a process of its own: how far the peak rises above what is resident once the
models and the data are there, after a run on a small network, so that nothing is counted that is
loaded once. In MiB, and in vectors, the float32 parameters of one model.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from unittest import mock

import torch
from curvature import resident
from digits_networks import digits, mlp, resnet
from torch import nn

from phasezoo import rng
from phasezoo.data.task import Task
from phasezoo.landscape import curvature as curvature_module
from phasezoo.landscape.connectivity import connect
from phasezoo.landscape.curvature import curvature
from phasezoo.landscape.gradient_noise import noise_scale
from phasezoo.landscape.learning_coefficient import learning_coefficient
from phasezoo.landscape.network import Network
from phasezoo.landscape.similarity import compare
from phasezoo.landscape.spectra import spectra
from phasezoo.models.build import initialise
from phasezoo.models.flat import Weights, weights_of
from phasezoo.spec.metrics import Connectivity, Density, Hessian, Similarity
from phasezoo.spec.numbers import LocalLearning
from phasezoo.training.evaluate import evaluate_both

CPU = torch.device("cpu")
STEPS, GRAPHS, SAMPLES = 20, 0.25, 64  # of Lanczos; GiB of graphs; of every metric
SEEDS = 3


@dataclass(frozen=True)
class Case:
    """The seeds of one cell and their data."""

    network: Network
    models: list[Weights]
    task: Task

    @classmethod
    def of(cls, make: Callable[[], nn.Module]) -> Case:
        """Untrained: the values do not matter here."""
        inputs, labels = digits(2 * SAMPLES)
        halves = inputs[:SAMPLES], labels[:SAMPLES], inputs[SAMPLES:], labels[SAMPLES:]
        models = []
        for seed in range(SEEDS):
            initialise(module := make(), rng.generator("memory", seed))
            models.append(weights_of(module))
        return cls(Network(make(), CPU), models, Task("digits", *halves, classes=10))

    @property
    def sample(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs and labels."""
        return self.task.train_inputs, self.task.train_labels

    @property
    def chances(self) -> list[torch.Generator]:
        """One for each model, or pair."""
        return [rng.generator("chance", seed) for seed in range(SEEDS)]


def evaluation(case: Case) -> None:
    """Loss and error of one model after the other."""
    for model in case.models:
        evaluate_both(case.network.function(model), case.task)


def hessian(case: Case, probes: int = 40, density: Density | None = None) -> None:
    """Two eigenvalues and the trace; large models go one by one, so one is enough."""
    options = Hessian(
        epochs=(0,), sets=("train",), samples=SAMPLES, eigenvalues=2, iterations=STEPS,
        tolerance=1e-12, trace_error=0.02, probes=probes, density=density, memory=GRAPHS,
    )  # fmt: skip
    curvature(case.network, case.models[:1], *case.sample, options, case.chances[:1])


def hessian_with_probes(case: Case) -> None:
    """The same for networks that have no exact trace, with a density."""
    with mock.patch.object(curvature_module, "is_linear_between_kinks", return_value=False):
        hessian(case, 5, Density(nodes=10, probes=2))


def connectivity(case: Case) -> None:
    """All pairs of the cell together."""
    options = Connectivity(
        epochs=(0,), curve_epochs=2, batch_size=32, learning_rate=0.01, momentum=0.9,
        weight_decay=5e-4, points=9, refinements=1,
    )  # fmt: skip
    ends = [(case.models[a], case.models[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
    connect(case.network, case.task, ends, options, case.chances)


def similarity(case: Case) -> None:
    """All pairs of the cell, with one hidden layer."""
    layer = "hidden.0" if hasattr(case.network.module, "hidden") else "blocks.0"
    options = Similarity(epochs=(0,), samples=SAMPLES, layers=(layer,))
    compare(case.network, case.models, ((0, 1), (0, 2), (1, 2)), case.task.test_inputs, options)


def weight_spectra(case: Case) -> None:
    """Norms and tails."""
    spectra(case.network, case.models, case.models)


def noise(case: Case) -> None:
    """A gradient for every sample."""
    noise_scale(case.network, case.models, *case.sample)


def coefficient(case: Case) -> None:
    """Four chains around each model."""
    options = LocalLearning(
        epochs=(0,), samples=SAMPLES, chains=4, steps=8, burn_in=0,
        step_size=1e-6, localisation=100, batch_size=16,
    )  # fmt: skip
    learning_coefficient(case.network, case.models, *case.sample, options, case.chances)


NETWORKS: dict[str, tuple[Callable[[], nn.Module], Callable[[], nn.Module]]] = {
    "MLP, width 3100": (mlp(3100), mlp(4)),
    "ResNet, width 180": (resnet(180), resnet(2)),
}
FAMILIES: dict[str, Callable[[Case], None]] = {
    "evaluation": evaluation,
    "hessian, exact trace": hessian,
    "hessian, probes and density": hessian_with_probes,
    "connectivity": connectivity,
    "similarity": similarity,
    "spectra": weight_spectra,
    "noise": noise,
    "learning_coefficient": coefficient,
}


def measured(network: str, family: str) -> str:
    """A row of the table, from a process of its own."""
    command = [sys.executable, __file__, "--one", network, family]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def measure(network: str, family: str) -> str:
    """What that process prints."""
    large, small = NETWORKS[network]
    FAMILIES[family](Case.of(small))  # what is loaded once
    case = Case.of(large)
    size = case.network.parameters.size
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the peak
    before, start = resident("VmRSS"), time.perf_counter()
    FAMILIES[family](case)
    seconds = time.perf_counter() - start
    grown = resident("VmHWM") - before
    vectors = grown * 1024 / (4 * size)
    return (
        f"| {network} | {size / 1e6:.1f} | {family} | {grown / 1024:.0f} | {vectors:.1f} "
        f"| {seconds:.0f} |"
    )


def main() -> None:
    """Print the table, or one row of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--one", nargs=2, metavar=("NETWORK", "FAMILY"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.one:
        print(measure(*given.one))
        return
    print(
        "| network | million parameters | family | MiB | vectors | s |\n|---|---|---|---|---|---|"
    )
    for network in NETWORKS:
        for row in map(partial(measured, network), FAMILIES):
            print(row, flush=True)


if __name__ == "__main__":
    main()

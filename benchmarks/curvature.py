"""Top eigenvalue and trace of the Hessian beside PyHessian and curvlinops, and where time goes.

pip install --no-deps pyhessian curvlinops-for-pytorch einops einconv linear_operator
python benchmarks/curvature.py

To equal accuracy: traces to a standard error of 2 %, from at least 30 probes. PyHessian's own
rule compares running means of consecutive probes and ends long before that, so it is left out:
its products are run until the standard error of its own probes is met. Its eigenvalue ends by its
own rule at 1e-3, which asks for less than a residual of 1e-3, the rule of the other two. The peers
take one model after another; where there are many, they are run on a few and their seconds
multiplied.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from digits_networks import digits, mlp, resnet, trained
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from phasezoo import rng
from phasezoo.landscape import curvature as curvature_module
from phasezoo.landscape.curvature import curvature
from phasezoo.landscape.network import Network
from phasezoo.landscape.products import HessianProducts
from phasezoo.landscape.stack import Stack, models_per_stack
from phasezoo.models.flat import weights_of
from phasezoo.spec.metrics import Hessian

RUNS, TARGET, TOLERANCE, LEAST = 5, 0.02, 1e-3, 30
BLOCK = 15  # probes that curvlinops takes at a time
CPU = torch.device("cpu")
INSTALL = "pip install --no-deps pyhessian curvlinops-for-pytorch einops einconv linear_operator"
OPTIONS = Hessian(
    epochs=(0,),
    sets=("train",),
    samples=640,
    eigenvalues=1,
    iterations=100,
    tolerance=TOLERANCE,
    trace_error=TARGET,
    probes=10_000,
)
Pair = tuple[float, float]


@dataclass(frozen=True)
class Case:
    """Networks of one architecture and the sample they are measured on."""

    make: Callable[[], nn.Module]
    models: int
    samples: int
    epochs: int
    of_peers: int = 1  # models that the peers are run on

    def share(self, method: str) -> int:
        """On how many of the models a method is run."""
        return self.models if method.startswith("phasezoo") else self.of_peers

    def trained(self) -> list[nn.Module]:
        """Different seeds."""
        return [trained(self.make, self.epochs, 32, seed) for seed in range(self.models)]


CASES = {
    "21 MLPs, width 32": Case(mlp(32), 21, 640, 4, of_peers=2),
    "ResNet, width 4": Case(resnet(4), 1, 100, 3),
    "MLP, width 1000": Case(mlp(1000), 1, 100, 2),
}


def ours(modules: list[nn.Module], sample: tuple[Tensor, Tensor]) -> list[Pair]:
    """All models at a time."""
    network, models = Network(modules[0], CPU), [weights_of(module) for module in modules]
    chances = [rng.generator("benchmark", index) for index in range(len(models))]
    found = curvature(network, models, *sample, OPTIONS, chances)
    return [(float(one.eigenvalues[0]), one.trace.value) for one in found]


def ours_with_probes(modules: list[nn.Module], sample: tuple[Tensor, Tensor]) -> list[Pair]:
    """The same as for networks that have no exact trace."""
    with mock.patch.object(curvature_module, "is_linear_between_kinks", return_value=False):
        return ours(modules, sample)


def enough(probes: list[float]) -> bool:
    """Whether the standard error has met the target."""
    if len(probes) < LEAST:
        return False
    error = float(np.std(probes, ddof=1) / np.sqrt(len(probes)))
    return error <= TARGET * abs(float(np.mean(probes)))


def pyhessian(modules: list[nn.Module], sample: tuple[Tensor, Tensor]) -> list[Pair]:
    """One model after another."""
    from pyhessian import hessian

    found = []
    for module in modules:
        module.zero_grad(set_to_none=True)
        peer = hessian(module, nn.CrossEntropyLoss(), data=sample, cuda=False)
        (top,), _ = peer.eigenvalues(maxIter=1000, tol=TOLERANCE)
        probes: list[float] = []
        while not enough(probes):
            probes += peer.trace(maxIter=1)
        module.zero_grad(set_to_none=True)
        found.append((top, float(np.mean(probes))))
    return found


def curvlinops(modules: list[nn.Module], sample: tuple[Tensor, Tensor]) -> list[Pair]:
    """One model after another: blocks of probes, in which it is fastest, and SciPy's Lanczos."""
    from curvlinops import HessianLinearOperator
    from scipy.sparse.linalg import eigsh

    found = []
    for module in modules:
        named, loss = list(module.parameters()), nn.CrossEntropyLoss()
        peer = HessianLinearOperator(module, loss, named, [sample], check_deterministic=False)
        (top,) = eigsh(peer.to_scipy(), 1, which="LA", tol=TOLERANCE, return_eigenvectors=False)
        probes: list[float] = []
        while not enough(probes):
            signs = torch.randint(0, 2, (peer.shape[1], BLOCK)).mul(2).sub(1).float()
            probes += (signs * (peer @ signs)).sum(0).tolist()
        found.append((float(top), float(np.mean(probes))))
    return found


METHODS = {
    "phasezoo": ours,
    "phasezoo, probes only": ours_with_probes,
    "PyHessian": pyhessian,
    "curvlinops": curvlinops,
}


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, and what came out."""
    start = time.perf_counter()
    found = call()
    return time.perf_counter() - start, found


def memory(case: str, method: str) -> float:
    """MiB by which one run raises the memory of a process of its own."""
    command = [sys.executable, __file__, "--memory", case, method]
    told = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ)
    return float(told.stdout.split()[-1])


def measure_memory(case: str, method: str) -> None:
    """What the process of `memory` does."""
    chosen, small = replace(CASES[case], epochs=0), Case(mlp(4), 1, 16, 0)
    modules, sample = chosen.trained(), digits(chosen.samples)
    METHODS[method](small.trained(), digits(16))  # what is loaded once
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the peak
    before = resident("VmRSS")
    METHODS[method](modules[: chosen.share(method)], sample)
    print((resident("VmHWM") - before) / 1024)


def resident(key: str) -> int:
    """KiB of this process, now or at the most (Linux)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key))


def compare(runs: int, cases: list[str]) -> None:
    """The table of peers; runs alternate."""
    print(
        "| network | way | s, median (least to most) | times phasezoo | MiB | eigenvalue, trace |"
    )
    print("|---|---|---|---|---|---|")
    for name in cases:
        case = CASES[name]
        modules, sample = case.trained(), digits(case.samples)
        seconds: dict[str, list[float]] = {method: [] for method in METHODS}
        values: dict[str, Pair] = {}
        for _ in range(runs):
            for method, call in METHODS.items():
                share = case.share(method)
                took, found = timed(partial(call, modules[:share], sample))
                seconds[method].append(took * case.models / share)
                values[method] = found[0]
        base = statistics.median(seconds["phasezoo"])
        for method, found in seconds.items():
            middle = statistics.median(found)
            spread = f"{middle:.3f} ({min(found):.3f} to {max(found):.3f})"
            told = f"{memory(name, method):.0f} | {values[method][0]:.4g}, {values[method][1]:.4g}"
            print(f"| {name} | {method} | {spread} | {middle / base:.1f} | {told} |", flush=True)


def peak() -> float:
    """GFLOP/s of a product of square matrices, float32."""
    square = torch.randn(2048, 2048)
    best = min(timed(partial(torch.mm, square, square))[0] for _ in range(5))
    return 2 * 2048**3 / best / 1e9


class Operations(TorchDispatchMode):
    """Counts the operations of products and convolutions."""

    total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run and count."""
        out = func(*args, **(kwargs or {}))
        if func._overloadpacket in flop_registry:
            self.total += flop_registry[func._overloadpacket](*args, **(kwargs or {}), out_val=out)
        return out


def where() -> None:
    """The table of what a run of this package spends its time on."""
    most = peak()
    print(f"\nMatrix product, one thread: {most:.0f} GFLOP/s.\n")
    head = "| network | ms | products of matrices | other kernels | Python and the framework |"
    print(f"{head} GFLOP | GFLOP/s | share of peak |\n|---|---|---|---|---|---|---|---|")
    heavy = ("mm", "addmm", "bmm", "convolution", "mkldnn", "linear")
    for name, case in CASES.items():
        modules, sample = case.trained(), digits(case.samples)
        ours(modules, sample)
        with Operations() as counted:  # type: ignore[no-untyped-call]
            ours(modules, sample)
        work = counted.total / 1e9
        total = statistics.median(timed(partial(ours, modules, sample))[0] for _ in range(3))
        with profile(activities=[ProfilerActivity.CPU]) as seen:
            under_profile, _ = timed(partial(ours, modules, sample))
        kernels = [event for event in seen.key_averages() if event.key.startswith("aten::")]
        arithmetic = sum(e.self_cpu_time_total for e in kernels if any(h in e.key for h in heavy))
        others = sum(e.self_cpu_time_total for e in kernels) - arithmetic
        rate = work / total
        cells = [arithmetic / 1e6 / under_profile, others / 1e6 / under_profile]
        told = " | ".join(f"{100 * share:.0f} %" for share in (*cells, max(0.0, 1 - sum(cells))))
        row = f"| {name} | {1e3 * total:.0f} | {told} | {work:.1f}"
        print(f"{row} | {rate:.0f} | {100 * rate / most:.0f} % |", flush=True)


def stacks() -> None:
    """The table that decides how many models are computed as one."""
    sizes = (1, 3, 7, 21)
    print(
        "\nms per product and model, 640 samples:\n\n| width | " + " | ".join(map(str, sizes)),
        end="",
    )
    print(" | chosen |\n" + "|---" * (len(sizes) + 2) + "|")
    for width in (2, 8, 16, 32, 48, 64, 128):
        cells, network = [], Network(mlp(width)(), CPU)
        for size in sizes:
            models = [weights_of(trained(mlp(width), 0, 32, seed)) for seed in range(size)]
            stack = Stack.of(network, models)
            product, vectors = (
                HessianProducts(stack, *digits(640), 1 << 31),
                stack.parameters.detach(),
            )
            product(vectors)
            found = min(timed(partial(product, vectors))[0] for _ in range(15))
            cells.append(f"{1e3 * found / size:.2f}")
        print(f"| {width} | {' | '.join(cells)} | {models_per_stack(network, 640)} |", flush=True)


def main() -> None:
    """Print all tables, or say how to install what is missing."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--memory", nargs=2, metavar=("CASE", "WAY"))
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument(
        "--case", choices=CASES, action="append", help="beside the peers only these"
    )
    given = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    try:
        import curvlinops as _  # noqa: F401
        import pyhessian as __  # noqa: F401
    except ModuleNotFoundError as missing:
        sys.exit(f"{missing.name} is missing; {INSTALL}")
    if given.memory:
        measure_memory(*given.memory)
        return
    compare(given.runs, given.case or list(CASES))
    if given.case:
        return
    where()
    stacks()


if __name__ == "__main__":
    main()

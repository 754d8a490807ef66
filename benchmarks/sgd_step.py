"""Training steps per second: the flat update of `phasezoo.training.sgd` beside torch's own SGD.

python benchmarks/sgd_step.py
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from torch.nn import functional

from phasezoo.models.flat import parameter_layout
from phasezoo.models.mlp import MLP
from phasezoo.spec.training import Sgd
from phasezoo.training.sgd import FlatSgd

STEPS, RUNS = 2000, 7
SPEC = Sgd(name="sgd", learning_rate=0.01, momentum=0.9, weight_decay=5e-4, nesterov=False)


def flat(module: MLP) -> tuple[Callable[[], None], Callable[[], None]]:
    """Zero and step of the flat update."""
    size = parameter_layout(module).size
    optimiser = FlatSgd(module, SPEC, torch.zeros(size))
    return optimiser.zero_grad, lambda: optimiser.step(0.01, 0.9)


def torchs(module: MLP, **kind: bool) -> tuple[Callable[[], None], Callable[[], None]]:
    """Zero and step of ``torch.optim.SGD``."""
    optimiser = torch.optim.SGD(
        module.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4, **kind
    )
    return optimiser.zero_grad, lambda: optimiser.step() and None


def milliseconds(make: Callable[[MLP], tuple[Callable[[], None], Callable[[], None]]]) -> float:
    """Time of one whole training step of a small network."""
    module = MLP((1, 8, 8), 10, width=32, hidden_layers=2)
    inputs, labels = torch.randn(1200, 1, 8, 8), torch.randint(0, 10, (1200,))
    zero, step = make(module)
    start = time.perf_counter()
    for _ in range(STEPS):
        chosen = torch.randint(0, 1200, (16,))
        loss = functional.cross_entropy(module(inputs[chosen]), labels[chosen])
        zero()
        loss.backward()
        step()
    return (time.perf_counter() - start) / STEPS * 1e3


def main() -> None:
    """Print medians, spreads and ratios of alternating runs."""
    torch.set_num_threads(1)
    kinds = {
        "flat": flat,
        "torch, for each": lambda m: torchs(m, foreach=True),
        "torch, plain": lambda m: torchs(m, foreach=False),
        "torch, fused": lambda m: torchs(m, fused=True),
    }
    times: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(RUNS):
        for name, make in kinds.items():
            times[name].append(milliseconds(make))
    base = statistics.median(times["flat"])
    print("| update | ms per step, median | least | most | time against flat |")
    print("|---|---|---|---|---|")
    for name, found in times.items():
        middle = statistics.median(found)
        row = f"{middle:.3f} | {min(found):.3f} | {max(found):.3f} | {middle / base:.2f}"
        print(f"| {name} | {row} |")


if __name__ == "__main__":
    main()

"""Estimators of the trace on Hessians of trained networks, and how honest their errors are.

python benchmarks/trace_estimators.py
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable

import numpy as np
import torch
from digits_networks import digits, mlp, resnet, trained
from torch import Tensor, nn

from phasezoo import rng
from phasezoo.landscape.gauss_newton import exact_trace
from phasezoo.landscape.lanczos import lanczos, normal_like
from phasezoo.landscape.network import Network
from phasezoo.landscape.products import HessianProducts
from phasezoo.landscape.stack import Stack
from phasezoo.landscape.trace import estimated_traces
from phasezoo.models.flat import weights_of

BUDGETS, FREE = (60, 120), 12  # products in all; of them those of Lanczos, made in any case
REPETITIONS = 30


def dense(module: nn.Module, samples: int) -> tuple[Tensor, float, float, float]:
    """The Hessian [P, P] in float64, its trace by Gauss-Newton, ms of a product and of that."""
    inputs, labels = digits(samples)
    stack = Stack.of(Network(module, torch.device("cpu")), [weights_of(module)])
    product = HessianProducts(stack, inputs, labels, 1 << 30)
    size = stack.parameters.shape[1]
    columns, seconds = [], []
    for unit in torch.eye(size):
        start = time.perf_counter()
        columns.append(product(unit[None])[0])
        seconds.append(time.perf_counter() - start)
    matrix, per_product = torch.stack(columns).double(), min(seconds) * 1e3
    seconds = []
    for _ in range(9):
        start = time.perf_counter()
        exact = exact_trace(stack, inputs, 1 << 30).estimate.value
        seconds.append(time.perf_counter() - start)
    return (matrix + matrix.T) / 2, exact, per_product, min(seconds) * 1e3


def hutchinson_variance(matrix: Tensor) -> float:
    """Of one Rademacher probe."""
    return 2 * (matrix.square().sum() - matrix.diag().square().sum()).item()


def without(matrix: Tensor, basis: Tensor) -> Tensor:
    """P A P with P = I - Q Q^T for orthonormal columns Q."""
    left = matrix - basis @ (basis.T @ matrix)
    return left - (left @ basis) @ basis.T


def hutchinson(matrix: Tensor, budget: int, _: torch.Generator) -> float:
    """Variance of the plain mean."""
    return hutchinson_variance(matrix) / budget


def hutch_plus_plus(matrix: Tensor, budget: int, chance: torch.Generator) -> float:
    """Variance given the sketch: a third each for the sketch, its exact part and the probes."""
    third = budget // 3
    sketch = torch.randn(len(matrix), third, generator=chance, dtype=matrix.dtype)
    basis, _ = torch.linalg.qr(matrix @ sketch)
    return hutchinson_variance(without(matrix, basis)) / third


def deflated(matrix: Tensor, budget: int, chance: torch.Generator) -> float:
    """Variance given the Krylov space: what this package does."""
    start = torch.randn(1, len(matrix), generator=chance, dtype=matrix.dtype)
    _, basis = lanczos(lambda v: v @ matrix, start, FREE, lambda _: False, [chance])
    return hutchinson_variance(without(matrix, basis[0].T)) / (budget - FREE)


def xtrace(matrix: Tensor, budget: int, chance: torch.Generator) -> float:
    """Squared error of one estimate (Epperly, Tropp and Webber 2024, section 2.1)."""
    half = budget // 2
    probes = torch.randint(0, 2, (len(matrix), half), generator=chance).mul(2).sub(1).double()
    sketch, estimates = matrix @ probes, []
    for left_out in range(half):
        kept = torch.arange(half) != left_out
        basis, _ = torch.linalg.qr(sketch[:, kept])
        rest = probes[:, left_out] - basis @ (basis.T @ probes[:, left_out])
        within = (basis * (matrix @ basis)).sum()
        estimates.append((within + rest @ matrix @ rest).item())
    return float((np.mean(estimates) - matrix.trace().item()) ** 2)


ESTIMATORS: dict[str, Callable[[Tensor, int, torch.Generator], float]] = {
    "Hutchinson": hutchinson,
    "Hutch++": hutch_plus_plus,
    "XTrace": xtrace,
    "deflated": deflated,
}


def relative_errors(matrix: Tensor, budget: int) -> list[str]:
    """Standard errors relative to the trace, in per cent, of each estimator."""
    found = []
    for name, variance in ESTIMATORS.items():
        chances = [rng.generator("estimators", name, i) for i in range(REPETITIONS)]
        mean = np.mean([variance(matrix, budget, chance) for chance in chances])
        found.append(f"{100 * math.sqrt(mean) / abs(matrix.trace().item()):.2f}")
    return found


def coverage(matrix: Tensor, repetitions: int, rows: int = 250) -> tuple[float, float, float]:
    """Share of traces within two standard errors, median probes, spread over stated error."""
    errors, stated, probes = [], [], []
    for part in range(repetitions // rows):
        chances = [rng.generator("coverage", part, row) for row in range(rows)]
        starts = torch.stack([normal_like(matrix[0], chance) for chance in chances])
        spaces, basis = lanczos(lambda v: v @ matrix, starts, FREE, lambda _: False, chances)
        found = estimated_traces(lambda v: v @ matrix, spaces, basis, 0.02, 10_000, chances)
        errors += [trace.estimate.value - matrix.trace().item() for trace in found]
        stated += [trace.estimate.standard_error for trace in found]
        probes += [trace.probes for trace in found]
    covered = np.mean(np.abs(errors) <= 2 * np.array(stated))
    return float(covered), float(np.median(probes)), float(np.std(errors) / np.mean(stated))


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repetitions", type=int, default=1000)
    repetitions = parser.parse_args().repetitions
    torch.set_num_threads(1)
    networks = {
        "MLP, width 4": (mlp(4), 640, 15),
        "MLP, width 8": (mlp(8), 640, 15),
        "MLP, width 16": (mlp(16), 640, 15),
        "MLP, width 8, untrained": (mlp(8), 640, 0),
        "ResNet, width 2": (resnet(2), 100, 4),
    }
    names = " | ".join(ESTIMATORS)
    print(f"| network | parameters | products | {names} | exact: error, in products |")
    print("|---" * (4 + len(ESTIMATORS)) + "|")
    honest = []
    for name, (make, samples, epochs) in networks.items():
        matrix, exact, product, whole = dense(trained(make, epochs, 32, 0), samples)
        relative = abs(exact / matrix.trace().item() - 1)
        for budget in BUDGETS:
            cells = " | ".join(relative_errors(matrix, budget))
            row = f"| {name} | {len(matrix)} | {budget} | {cells} |"
            print(f"{row} {relative:.0e}, {whole / product:.1f} |", flush=True)
        honest.append((name, *coverage(matrix, repetitions)))
    print("\n| network | within two standard errors | probes, median | spread / stated error |")
    print("|---|---|---|---|")
    for name, covered, probes, ratio in honest:
        print(f"| {name} | {100 * covered:.1f} % | {probes:.0f} | {ratio:.3f} |")


if __name__ == "__main__":
    main()

"""Recovery of known permutations: how often a way of aligning undoes one, per architecture.

    python benchmarks/recovery.py                     # initial weights of every architecture
    python benchmarks/recovery.py --trained           # perceptrons and residual networks on digits
    python benchmarks/recovery.py --skip activations --only vit gpt-2    # a part of it

A trial draws weights and a permutation that moves every unit of every layer, and counts if the
copy is brought back to the bit. Every trial has weights, a permutation and orders of its own; all
ways see the same. Rates have Wilson intervals of 95 %.

The published algorithm (Ainsworth et al. 2023, algorithm 1) is this package's descent without its
anchored first sweep: from the identity, in random order, every product counted from the start. On
transformers, which the published code does not take, heads and what is within them are one step.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import digits_networks as digits
import torch
from permutations import CASES
from scipy.stats import binomtest
from torch import nn

from phasezoo import rng
from phasezoo.landscape.network import Network
from phasezoo.merging.activation_matching import activation_matching
from phasezoo.merging.alignment import Aligner, Alignment
from phasezoo.merging.descent import Descent
from phasezoo.merging.permutation import PermutationSpec, infer
from phasezoo.merging.pieces import Pieces, nested
from phasezoo.merging.ways import recovers
from phasezoo.merging.weight_matching import parameters_by_name, weight_matching
from phasezoo.models.build import initialise
from phasezoo.models.flat import Weights, weights_of

SWEEPS, SAMPLES, EPOCHS, BATCH = 100, 256, 20, 32
CPU = torch.device("cpu")
Drawn = Callable[[int], nn.Module]  # the module of a trial


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--trained", action="store_true")
    parser.add_argument("--only", nargs="*", default=[], help="names of architectures")
    parser.add_argument("--skip", nargs="*", default=[], help="ways of aligning")
    given = parser.parse_args()
    torch.set_num_threads(1)
    print("| network | way | recovered | rate | 95 % interval | s a trial |")
    print("|---|---|---|---|---|---|", flush=True)
    for name, draw, inputs in trained() if given.trained else initial():
        if not given.only or any(one in name for one in given.only):
            report(name, draw, inputs, given.trials, given.skip)


def initial() -> Iterator[tuple[str, Drawn, torch.Tensor]]:
    """Every architecture as it begins."""
    for size, case in CASES.items():
        inputs = case.inputs(SAMPLES if case.architecture.name != "gpt-2" else 8)
        name = f"`{case.architecture.name}`, {size}"
        draw = partial(beginning, case.module().float())
        yield name, draw, inputs.float() if inputs.is_floating_point() else inputs


def beginning(module: nn.Module, trial: int) -> nn.Module:
    """A module with the initial weights of a trial."""
    initialise(module, rng.generator("recovery", "initial", trial))
    return module


def trained() -> Iterator[tuple[str, Drawn, torch.Tensor]]:
    """Networks trained on the handwritten digits, one for each trial."""
    inputs, _ = digits.digits(SAMPLES)
    for kind, make, widths in (("MLP", digits.mlp, (4, 16, 48)), ("ResNet", digits.resnet, (4,))):
        for width in widths:
            draw = partial(digits.trained, make(width), EPOCHS, BATCH)
            yield f"{kind}, width {width}, {EPOCHS} epochs", draw, inputs


def report(
    name: str, draw: Drawn, inputs: torch.Tensor, trials: int, skipped: Sequence[str]
) -> None:
    """Rows of one network."""
    ways: dict[str, Aligner] = {
        "weights": partial(weight_matching, sweeps=SWEEPS),
        "weights, as published": published,
        "activations": partial(activation_matching, inputs=inputs, statistic="correlation"),
    }
    ways = {way: aligner for way, aligner in ways.items() if way not in skipped}
    found: dict[str, list[bool]] = {way: [] for way in ways}
    seconds = dict.fromkeys(ways, 0.0)
    spec: PermutationSpec | None = None
    for trial in range(trials):
        network = Network(draw(trial), CPU)
        spec = spec or infer(network.module, inputs[:2])
        for way, aligner in ways.items():
            start = time.perf_counter()
            found[way].append(once(aligner, network, spec, trial))
            seconds[way] += time.perf_counter() - start
    for way, results in found.items():
        print(f"| {name} | {way} | {rate(results)} | {seconds[way] / trials:.2g} |", flush=True)


def once(aligner: Aligner, network: Network, spec: PermutationSpec, trial: int) -> bool:
    """Whether a trial succeeds."""
    model, chance = weights_of(network.module), rng.generator("recovery", "hidden", trial)
    return recovers(aligner, network, spec, model, chance)


def rate(results: Sequence[bool]) -> str:
    """Successes, their share and its Wilson interval."""
    test = binomtest(sum(results), len(results))
    low, high = test.proportion_ci(method="wilson")
    return f"{sum(results)} of {len(results)} | {test.statistic:.2f} | {low:.2f} to {high:.2f}"


def published(
    network: Network,
    spec: PermutationSpec,
    models: Sequence[Weights],
    generator: torch.Generator,
) -> Alignment:
    """Algorithm 1 of Git Re-Basin for two models."""
    A, B = (Pieces(spec, of) for of in parameters_by_name(network, models))
    by, objective = Descent(spec, A, B).run(generator, SWEEPS, "identity")
    moved = nested(spec, by)
    still = nested(spec, A.identity())
    return Alignment((still, moved), tuple(objective), converged=True, seconds=0.0)


if __name__ == "__main__":
    main()

"""Weight matching of ResNet-20, beside git-re-basin-pytorch and rebasin.

    git clone https://github.com/themrzmaster/git-re-basin-pytorch
    pip install rebasin==0.0.47
    python benchmarks/weight_matching.py git-re-basin-pytorch               # widths 1x to 8x
    python benchmarks/weight_matching.py git-re-basin-pytorch 16 --runs 1   # one width

Everyone is given the same two sets of weights and comes to rest by its own rule, in one thread and
in turns; seconds are those of the processor, which other work on the machine disturbs less. The
permutation specs of git-re-basin-pytorch are those of its own networks, so its search
is handed the spec of this package; rebasin traces the module (which is not timed). What counts is
one number for all, <A, pi(B)> in float64 of the permuted parameters, each peer's in each run with
other orders of its sweeps.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from phasezoo import rng
from phasezoo.landscape.network import Network
from phasezoo.merging.permutation import PermutationSpec, cycles, permutation_spec, permute
from phasezoo.merging.weight_matching import weight_matching
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import Weights, load_weights, weights_of
from phasezoo.spec.architecture import ResNet20

SHAPE, CLASSES, CHANNELS = (3, 32, 32), 10, 16
CPU = torch.device("cpu")
Pair = tuple[Weights, Weights]
Result = tuple[float, float]  # seconds, objective
Way = Callable[[Network, PermutationSpec, Pair, int], Result]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clone", type=Path)
    parser.add_argument("widths", type=int, nargs="*", default=[1, 2, 4, 8])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--skip", nargs="*", default=[], help="names of procedures")
    given = parser.parse_args()
    torch.set_num_threads(1)
    ways: dict[str, Way] = {
        "this package, to rest": ours,
        "this package, one sweep": partial(ours, sweeps=1),
        "git-re-basin-pytorch": partial(git_re_basin, given.clone.resolve()),
        "rebasin": rebasin,
    }
    ways = {name: way for name, way in ways.items() if name not in given.skip}
    print(
        "| width | pair | procedure | s, median | least | most | objective, mean | least | most |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for width in given.widths:
        report(width, ways, given.runs)


def report(width: int, ways: dict[str, Way], runs: int) -> None:
    """Rows of one width; objectives relative to the norms, as a cosine."""
    architecture = ResNet20(name="resnet-20", norm="batch", width=CHANNELS * width)
    network = Network(build(architecture, SHAPE, CLASSES), CPU)
    spec = permutation_spec(network.module)
    for name, pair in pairs_of(network, spec).items():
        scale = float(pair[0].parameters.double().norm() * pair[1].parameters.double().norm())
        found: dict[str, list[Result]] = {way: [] for way in ways}
        for run in range(runs):
            for way, search in ways.items():
                found[way].append(search(network, spec, pair, run))
        for way, results in found.items():
            times, values = zip(*results, strict=True)
            cosines = [value / scale for value in values]
            print(
                f"| {width}x | {name} | {way} | {statistics.median(times):.4g} | {min(times):.4g} "
                f"| {max(times):.4g} | {statistics.mean(cosines):.5f} | {min(cosines):.5f} "
                f"| {max(cosines):.5f} |",
                flush=True,
            )


def pairs_of(network: Network, spec: PermutationSpec) -> dict[str, Pair]:
    """Two networks that have nothing in common, and one with a noisy, permuted copy of itself."""
    first, second = drawn(network, 0), drawn(network, 1)
    mixed = Weights(0.3 * first.parameters + 0.95 * second.parameters, second.buffers)
    by = cycles(spec, network.parameters, rng.generator("benchmark", "hidden"))
    return {
        "independent": (first, second),
        "noisy copy": (first, permute(network, spec, mixed, by)),
    }


def drawn(network: Network, seed: int) -> Weights:
    """Initial weights."""
    initialise(network.module, rng.generator("benchmark", seed))
    return weights_of(network.module)


def objective(pair: Pair, moved: Weights) -> float:
    """<A, pi(B)>."""
    return float(torch.dot(pair[0].parameters.double(), moved.parameters.double()))


def ours(
    network: Network, spec: PermutationSpec, pair: Pair, run: int, sweeps: int = 100
) -> Result:
    """This package; all that `weight_matching` does is timed."""
    start = time.process_time()
    chance = rng.generator("benchmark", "order", run)
    found = weight_matching(network, spec, pair, chance, sweeps=sweeps)
    seconds = time.process_time() - start
    return seconds, objective(pair, permute(network, spec, pair[1], found.permutations[1]))


def git_re_basin(
    clone: Path, network: Network, spec: PermutationSpec, pair: Pair, run: int
) -> Result:
    """Its `weight_matching`, with what it prints thrown away."""
    if str(clone) not in sys.path:
        sys.path.insert(0, str(clone))
    from utils import weight_matching as peer

    A, B = (network.parameters.unflatten(of.parameters) for of in pair)
    axes = peer.permutation_spec_from_axes_to_perm({name: spec.axes[name] for name in A})
    torch.manual_seed(run)
    start = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        found = peer.weight_matching(axes, A, B)
    seconds = time.process_time() - start
    by = {name: indices.long() for name, indices in found.items()}
    return seconds, objective(pair, permute(network, spec, pair[1], by))


def rebasin(network: Network, spec: PermutationSpec, pair: Pair, run: int) -> Result:
    """Its coordinate descent, after the tracing, with its permutations not yet applied."""
    from rebasin import PermutationCoordinateDescent

    width = network.module.get_parameter("stem.weight").shape[0]
    architecture = ResNet20(name="resnet-20", norm="batch", width=width)
    modules = [load_weights(build(architecture, SHAPE, CLASSES), of) for of in pair]
    torch.manual_seed(run)
    search = PermutationCoordinateDescent(*modules, torch.zeros(1, *SHAPE))
    start = time.process_time()
    search.calculate_permutations()
    seconds = time.process_time() - start
    search.apply_permutations()
    return seconds, objective(pair, weights_of(modules[1]))


if __name__ == "__main__":
    main()

"""Graphs take what is said of them, and the process no more than it is allowed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from landscape import nets
from phasezoo.landscape.memory import Cut, GraphSize, cut, graph_size
from phasezoo.landscape.network import Network
from phasezoo.landscape.products import HessianProducts
from phasezoo.landscape.stack import Stack
from phasezoo.training.saved import saved_bytes


def test_a_product_saves_its_factors_once() -> None:
    x = torch.ones(7, requires_grad=True)
    y = torch.ones(7, requires_grad=True)
    assert saved_bytes(lambda: x * y + x[2:] @ y[2:], []) == 2 * 7 * 4
    assert saved_bytes(lambda: x * y, [y]) == 7 * 4
    assert saved_bytes(lambda: x + y, []) == 0


def test_what_grows_with_the_samples_is_told_from_what_does_not() -> None:
    weight = torch.ones(5, 3, requires_grad=True)
    found = graph_size(lambda n: (torch.ones(n, 5) @ weight).exp(), 11, [])
    # the inputs [n, 5] and the result of exp [n, 3]; the weight is not needed for its gradient
    assert found == GraphSize(0, (5 + 3) * 4)
    scaled = graph_size(lambda n: torch.ones(n, 5, requires_grad=True) @ weight, 11, [])
    assert scaled == GraphSize(5 * 3 * 4, 5 * 4)


@pytest.mark.parametrize("make", [nets.mlp, nets.smooth, nets.resnet])
def test_the_graph_of_a_whole_sample_is_foretold(
    make: Callable[[], tuple[Network, nets.Sample]],
) -> None:
    network, sample = make()
    stack = Stack.of(network, [nets.weights(network, 0)])
    product = HessianProducts(stack, *sample, 1 << 30)
    present = [stack.parameters, stack.buffers, *sample]
    found = saved_bytes(lambda: product._gradient(stack, slice(None)), present)
    assert product.size.of(len(sample[1])) == pytest.approx(found, rel=0.02)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (1100, Cut(100, 1)),
        (1099, Cut(17, 3)),
        (440, Cut(1, 3)),
        (439, Cut(33, 0)),
        (110, Cut(1, 0)),
        (0, Cut(1, 0)),
    ],
)
def test_the_kept_graphs_and_one_in_work_stay_within_the_limit(limit: int, expected: Cut) -> None:
    size = GraphSize(fixed=100, per_sample=10)
    found = cut(size, 100, limit)
    assert found == expected
    in_work = found.chunk * found.kept < 100
    taken = (found.kept + in_work) * size.of(found.chunk)
    assert taken <= max(limit, size.of(1))


def test_what_is_kept_is_within_the_limit_at_every_product() -> None:
    network, sample = nets.mlp()
    stack = Stack.of(network, [nets.weights(network, 0)])
    limit = HessianProducts(stack, *sample, 1 << 30).size.of(17) * 2 // 3
    alive: dict[int, tuple[int, int]] = {}
    most = 0

    class Saved:
        """Counts while the graph holds it."""

        def __init__(self, tensor: torch.Tensor) -> None:
            nonlocal most
            storage = tensor.untyped_storage()
            self.tensor = tensor
            alive[id(self)] = storage.data_ptr(), storage.nbytes()
            most = max(most, sum(dict(alive.values()).values()))

        def __del__(self) -> None:
            del alive[id(self)]

    with torch.autograd.graph.saved_tensors_hooks(Saved, lambda saved: saved.tensor):
        product = HessianProducts(stack, *sample, limit)
        most = 0  # what was kept to measure the graph is gone
        product(torch.ones_like(stack.parameters))
    assert product.cut.kept == 3
    assert 3 * product.cut.chunk < 17
    shared = sum(t.numel() * t.element_size() for t in (stack.parameters, *sample))
    assert limit / 2 < most <= limit + shared


# The peak is begun anew after the imports, which may take more than what is to be measured.
_RUN = """
import re, torch
from pathlib import Path
from phasezoo import rng
from phasezoo.landscape.curvature import curvature
from phasezoo.landscape.network import Network
from phasezoo.models.flat import weights_of
from phasezoo.models.mlp import MLP
from landscape import nets
torch.set_num_threads(1)
module = MLP((64,), 10, {width}, {layers}).eval()
inputs = torch.randn({samples}, 64, generator=rng.generator("inputs"))
labels = torch.arange({samples}) % 10
options = nets.options(iterations=1, memory={memory})
def curve(network, n):
    models, chance = [weights_of(network.module)], rng.generator("chance")
    return curvature(network, models, inputs[:n], labels[:n], options, [chance])
curve(Network(MLP((64,), 10, 4, {layers}).eval(), nets.CPU), 4) # what is loaded once
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
Path("/proc/self/clear_refs").write_text("5")
before = peak()
found, = curve(Network(module, nets.CPU), {samples})
assert found.trace.value > 0
print((peak() - before) / 2**20)
"""


def grown(width: int, layers: int, samples: int, memory: float) -> float:
    """GiB that a process of its own takes for the curvature of one MLP."""
    code = _RUN.format(width=width, layers=layers, samples=samples, memory=memory)
    told = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    return float(told.stdout)


needs_linux = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="only Linux tells a peak from a moment on"
)


@needs_linux
def test_a_long_sample_stays_within_the_bound() -> None:
    whole = 20_000 * 3_200 / 2**30  # bytes of the graph of a sample at width 256
    bound = whole / 6
    # with what is in work during a product; without a bound it would be 30 times the bound
    assert bound / 4 < grown(256, 2, 20_000, bound) < 4 * bound


@needs_linux
def test_ten_million_parameters_take_a_dozen_vectors() -> None:
    vector = 4 * (64 * 3100 + 3100**2 + 3100 * 10 + 2 * 3100 + 10) / 2**30
    assert vector < grown(3100, 2, 16, 0.01) < 12 * vector + 0.01

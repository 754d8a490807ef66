"""Norms and tail exponents of trained networks: `landscape.spectra` beside weightwatcher.

pip install --no-deps --target DIR weightwatcher powerlaw safetensors onnx
PYTHONPATH=DIR python benchmarks/tail_exponent.py
"""

from __future__ import annotations

import contextlib
import io
import logging
import time
import warnings
from collections.abc import Callable

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional

from phasezoo import rng
from phasezoo.landscape.network import Network
from phasezoo.landscape.power_law import FEWEST
from phasezoo.landscape.spectra import Spectra, spectra
from phasezoo.models.build import initialise
from phasezoo.models.flat import Weights, load_weights, weights_of
from phasezoo.models.mlp import MLP
from phasezoo.models.small_resnet import SmallResNet

MODELS, STEPS = 12, 300
STANDARD = 20  # eigenvalues from which on weightwatcher uses the plain method
MAKERS: dict[str, Callable[[], nn.Module]] = {
    "MLP, width 32": lambda: MLP((1, 8, 8), 10, 32, 2),
    "MLP, width 128": lambda: MLP((1, 8, 8), 10, 128, 2),
    "small ResNet, width 8": lambda: SmallResNet((1, 8, 8), 10, 8, 2),
}


def digits() -> tuple[Tensor, Tensor]:
    """Inputs [N, 1, 8, 8] and labels [N]."""
    data = load_digits()
    return torch.from_numpy(data.images).float()[:, None] / 8 - 1, torch.from_numpy(data.target)


def trained(module: nn.Module, inputs: Tensor, labels: Tensor, seed: int) -> Weights:
    """Weights after some steps of SGD on minibatches."""
    chance = rng.generator("tail exponent", seed)
    initialise(module, chance)
    optimiser = torch.optim.SGD(module.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    module.train()
    for _ in range(STEPS):
        batch = torch.randint(len(labels), (32,), generator=chance)
        optimiser.zero_grad()
        functional.cross_entropy(module(inputs[batch]), labels[batch]).backward()
        optimiser.step()
    return weights_of(module.eval())


def peer(module: nn.Module, weights: Weights) -> tuple[np.ndarray, float]:
    """Eigenvalues, tail values, exponent and stable rank [matrices, 4] of one model; seconds."""
    import weightwatcher

    load_weights(module, weights)
    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        table = weightwatcher.WeightWatcher(model=module).analyze(min_evals=1)
    seconds = time.perf_counter() - start
    columns = ["num_evals", "num_pl_spikes", "alpha", "stable_rank"]
    return table[columns].to_numpy(float), seconds


def compare(own: list[Spectra], theirs: list[np.ndarray]) -> str:
    """How many matrices agree, of those that both treat by the plain method."""
    alpha = np.array([[tail.exponent.value for tail in s.tails] for s in own])
    rank = np.array([s.stable_rank for s in own])
    evals, values, other, other_rank = np.moveaxis(np.array(theirs), 2, 0)
    plain = (evals >= STANDARD) & (values >= FEWEST)
    same = np.isclose(alpha, other, rtol=1e-3)
    apart = np.abs(alpha - other)[~same]
    median = f"{np.median(apart):.2f}" if apart.size else "-"
    ranks = np.isclose(rank, other_rank, rtol=1e-3).sum()
    shares = f"{same[plain].sum()} of {plain.sum()} | {same.sum()} of {same.size}"
    return f"{shares} | {median} | {ranks} of {rank.size}"


def main() -> None:
    """Print a table."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    torch.set_num_threads(1)
    inputs, labels = digits()
    print("| model | same exponent, plain | all | median gap else | same rank | ms | ms, peer |")
    print("|---|---|---|---|---|---|---|")
    for name, make in MAKERS.items():
        module = make()
        models = [trained(module, inputs, labels, seed) for seed in range(MODELS)]
        network = Network(module, torch.device("cpu"))
        spectra(network, models[:1])
        start = time.perf_counter()
        own = spectra(network, models)
        mine = time.perf_counter() - start
        theirs = [peer(module, weights) for weights in models]
        other = sum(seconds for _, seconds in theirs)
        times = f"{1e3 * mine / MODELS:.2f} | {1e3 * other / MODELS:.0f}"
        print(f"| {name} | {compare(own, [table for table, _ in theirs])} | {times} |")


if __name__ == "__main__":
    main()

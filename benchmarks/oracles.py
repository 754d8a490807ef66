"""Every landscape metric beside a closed form or another implementation: largest deviations.

The models are those of the published zoo as they are stored, float32; the oracles work in float64.
Run in a clone where `dvc pull` was done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from torch import Tensor, nn
from torch.func import hessian
from torch.nn import functional

import phasezoo
from phasezoo import rng
from phasezoo.data.task import Task
from phasezoo.landscape.curvature import curvature
from phasezoo.landscape.gradient_noise import noise_scale
from phasezoo.landscape.network import Network
from phasezoo.landscape.similarity import compare
from phasezoo.landscape.spectra import spectra
from phasezoo.models.flat import Weights, weights_of
from phasezoo.phases.calibrate import two_groups
from phasezoo.spec.metrics import Hessian, Similarity
from phasezoo.store.dataset import read_task
from phasezoo.store.zoo import Zoo

Floats = NDArray[np.float64]
Note = Callable[[str, float], None]  # of a metric and its oracle: a deviation

CPU = torch.device("cpu")
WIDTHS, BATCHES = (4, 8, 16), (16, 64, 256)
TASK_PATH, ZOO_PATH, EPOCH = "data/digits.json", "zoos/digits-mlp.zarr", 60


def relative(found: object, wanted: object) -> float:
    """Largest deviation, relative to the largest value."""
    found, wanted = np.asarray(found, dtype=float), np.asarray(wanted, dtype=float)
    return float(np.abs(found - wanted).max() / np.abs(wanted).max())


def main() -> None:
    """Print the table."""
    zoo = phasezoo.open_zoo(ZOO_PATH)
    task = read_task(Path(TASK_PATH), CPU)
    deviations: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        deviations.setdefault(name, []).append(value)

    for width in WIDTHS:
        for batch in BATCHES:
            cell = {"width": width, "batch_size": batch, "epoch": EPOCH}
            modules = [phasezoo.load_model(zoo, seed=seed, **cell) for seed in range(3)]
            one_cell(zoo, task, modules, cell, note)
    print("| metric | beside | largest deviation |\n|---|---|---|")
    for name, found in deviations.items():
        metric, beside = name.split(": ")
        print(f"| {metric} | {beside} | {max(found):.1e} |")
    print(f"\n{len(WIDTHS) * len(BATCHES)} cells of 3 models each")


def one_cell(
    zoo: Zoo, task: Task, modules: list[nn.Module], cell: Mapping[str, int], note: Note
) -> None:
    """All metrics of the three models of one cell."""
    models = [weights_of(module) for module in modules]
    network = Network(modules[0], CPU)
    stored = zoo.metrics.sel(cell)
    curved(network, models, task, stored, note)
    alike(network, models, modules, task, note)
    straight(network, models, task, stored, note)
    for model, found in zip(models, spectra(network, models), strict=True):
        matrices = [t.numpy().astype(float) for t in matrices_of(network, model)]
        values = [np.linalg.svd(m, compute_uv=False) for m in matrices]
        note("spectral norm: numpy's SVD", relative(found.spectral_norm, [v[0] for v in values]))
        ranks = [(v**2).sum() / v[0] ** 2 for v in values]
        note("stable rank: numpy's SVD", relative(found.stable_rank, ranks))
    noise = noise_scale(network, models, task.train_inputs, task.train_labels, 1200)
    for model, chances in zip(models, noise, strict=True):
        wide = sample_gradients(network, model, task)
        mean, n = wide.mean(0), len(wide)
        variance = ((wide - mean) ** 2).sum() / (n - 1)
        note(
            "gradient variance: one backward per sample",
            relative(chances.gradient_variance.value, variance),
        )
        square = (mean**2).sum()
        note(
            "squared gradient: one backward per sample",
            relative(chances.squared_gradient.value, square),
        )
    loss = np.log(zoo.metrics.train_loss.sel(epoch=EPOCH).median("seed").values.ravel())
    centres = np.sort(
        KMeans(2, n_init=50, random_state=0).fit(loss[:, None]).cluster_centers_.ravel()
    )
    note(
        "groups of a calibrated threshold: scikit-learn's k-means",
        relative(two_groups(loss), centres),
    )


def curved(
    network: Network, models: list[Weights], task: Task, stored: xr.Dataset, note: Note
) -> None:
    """Eigenvalues, traces and densities beside dense Hessians in float64."""
    inputs, labels = task.training_sample(64, "oracle")
    options = Hessian(
        epochs=(EPOCH,), sets=("train",), samples=64, eigenvalues=3, iterations=100,
        tolerance=1e-4, trace_error=0.02, probes=400,
    )  # fmt: skip
    chance = [rng.generator("oracle", i) for i in range(len(models))]
    found = curvature(network, models, inputs, labels, options, chance)
    wide = Network(network.module, CPU)
    for model, one in zip(models, found, strict=True):
        matrix = dense(wide, model, inputs, labels)
        values = np.linalg.eigvalsh(matrix)
        note("3 largest eigenvalues: dense Hessian", relative(one.eigenvalues, values[::-1][:3]))
        note("trace: dense Hessian", relative(one.trace.value, np.trace(matrix)))
    trace = stored.hessian_trace.values
    inputs, labels = task.training_sample(597, "hessian")
    exact = [np.trace(dense(wide, model, inputs, labels)) for model in models[:1]]
    note("stored trace, 597 samples: dense Hessian", relative(trace[:1], exact))


def dense(network: Network, model: Weights, inputs: Tensor, labels: Tensor) -> Floats:
    """The Hessian in float64, by forward over reverse mode."""
    network.module.double()
    try:

        def loss(theta: Tensor) -> Tensor:
            logits = network.apply(theta, model.buffers.double(), inputs.double())
            return functional.cross_entropy(logits, labels)

        found: Floats = hessian(loss)(model.parameters.double()).numpy()
        return found
    finally:
        network.module.float()


def alike(
    network: Network, models: list[Weights], modules: list[nn.Module], task: Task, note: Note
) -> None:
    """CKA beside kernels of all samples; distances beside numpy."""
    inputs, _ = task.test_sample(300, "oracle")
    pairs = [(0, 1), (0, 2), (1, 2)]
    options = Similarity(epochs=(EPOCH,), samples=300)
    found = compare(network, models, pairs, inputs, options)
    with torch.no_grad():
        logits = [module(inputs).double().numpy() for module in modules]
    vectors = [model.parameters.numpy().astype(float) for model in models]
    n = len(inputs)
    centring = np.eye(n) - 1 / n
    for place, (a, b) in enumerate(pairs):
        K, L = (centring @ x @ x.T @ centring for x in (logits[a], logits[b]))
        biased = (K * L).sum() / np.sqrt((K * K).sum() * (L * L).sum())
        note("CKA: kernels of all samples", relative(found.cka[place], biased))
        K, L = (x @ x.T for x in (logits[a], logits[b]))
        unbiased = hsic(K, L) / np.sqrt(hsic(K, K) * hsic(L, L))
        note("debiased CKA: U-statistic of kernels", relative(found.cka_debiased[place], unbiased))
        length = np.linalg.norm(vectors[a] - vectors[b])
        note("L2 distance: numpy", relative(found.l2_distance[place], length))


def hsic(K: Floats, L: Floats) -> float:
    """Unbiased HSIC (Song et al. 2012, equation 4)."""
    K, L, n = K.copy(), L.copy(), len(K)
    np.fill_diagonal(K, 0)
    np.fill_diagonal(L, 0)
    ones = np.ones(n)
    mixed = (ones @ K @ ones) * (ones @ L @ ones) / ((n - 1) * (n - 2))
    return float((np.trace(K @ L) + mixed - 2 / (n - 2) * (ones @ K @ L @ ones)) / (n * (n - 3)))


def straight(
    network: Network, models: list[Weights], task: Task, stored: xr.Dataset, note: Note
) -> None:
    """The stored losses on the straight line beside those of plain torch in float64."""
    for place, (a, b) in enumerate([(0, 1), (0, 2), (1, 2)]):
        losses = []
        network.module.double()
        for t in np.linspace(0, 1, 21):
            theta = (1 - t) * models[a].parameters.double() + t * models[b].parameters.double()
            with torch.no_grad():
                logits = network.apply(
                    theta, models[a].buffers.double(), task.train_inputs.double()
                )
            losses.append(functional.cross_entropy(logits, task.train_labels).item())
        network.module.float()
        found = stored.line_train_loss.isel(pair=place).values
        note("loss along the straight line: plain torch", relative(found, losses))


def matrices_of(network: Network, model: Weights) -> list[Tensor]:
    """The weight matrices of a model, a row per output."""
    tensors = network.parameters.unflatten(model.parameters)
    return [tensor.flatten(1) for tensor in tensors.values() if tensor.ndim >= 2]


def sample_gradients(network: Network, model: Weights, task: Task) -> Floats:
    """Gradients of single samples [1200, P], one backward each, in float64."""
    network.module.double()
    theta = model.parameters.double().requires_grad_()
    rows = []
    for one, label in zip(task.train_inputs.double(), task.train_labels, strict=True):
        logits = network.apply(theta, model.buffers.double(), one[None])
        (row,) = torch.autograd.grad(functional.cross_entropy(logits, label[None]), theta)
        rows.append(row.numpy())
    network.module.float()
    return np.stack(rows)


if __name__ == "__main__":
    main()

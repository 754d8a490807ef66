"""Problems whose answers are known, and small tasks to train on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phasezoo.data.task import Task
from phasezoo.spec.training import Constant, Cosine, OneCycle, Optimisation, Sgd

Floats = NDArray[np.float64]


def symmetric(eigenvalues: Floats, seed: int) -> Tensor:
    """A dense symmetric matrix [P, P] float64 with given eigenvalues and random eigenvectors.

    It is the Hessian of the quadratic 1/2 x^T A x.
    """
    random = np.random.default_rng(seed)
    size = len(eigenvalues)
    basis, _ = np.linalg.qr(random.standard_normal((size, size)))
    matrix = (basis * eigenvalues) @ basis.T
    return torch.from_numpy((matrix + matrix.T) / 2)


def operator_of(matrix: Tensor) -> Callable[[Tensor], Tensor]:
    """v -> A v in the type of the matrix."""
    return lambda vector: matrix @ vector.to(matrix.dtype)


def vector(size: int, seed: int) -> Tensor:
    """A random vector [size] float64."""
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(size))


def blobs(
    train: int = 53,
    test: int = 31,
    shape: tuple[int, ...] = (1, 3, 5),
    classes: int = 3,
    seed: int = 0,
) -> Task:
    """Gaussian clusters, one per class, that overlap a little."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((classes, *shape))
    labels = np.arange(train + test) % classes
    inputs = centres[labels] + 0.7 * random.standard_normal((train + test, *shape))
    x, y = torch.from_numpy(inputs).float(), torch.from_numpy(labels)
    return Task("blobs", x[:train], y[:train], x[train:], y[train:], classes)


def sgd(
    learning_rate: float = 0.1,
    momentum: float = 0.9,
    weight_decay: float = 5e-4,
    nesterov: bool = False,
) -> Sgd:
    """An optimiser with everything set."""
    return Sgd(
        name="sgd",
        learning_rate=learning_rate,
        momentum=momentum,
        weight_decay=weight_decay,
        nesterov=nesterov,
    )


def onecycle(epochs: int, cycle_momentum: bool = True) -> OneCycle:
    """A cycle whose numbers all differ from torch's defaults."""
    return OneCycle(
        name="onecycle",
        epochs=epochs,
        pct_start=0.35,
        div_factor=20.0,
        final_div_factor=1e3,
        cycle_momentum=cycle_momentum,
        base_momentum=0.8,
        max_momentum=0.93,
    )


def optimisation(
    schedule: OneCycle | Cosine | Constant, batch_size: int = 11, optimiser: Sgd | None = None
) -> Optimisation:
    """A training run."""
    return Optimisation(optimiser=optimiser or sgd(), schedule=schedule, batch_size=batch_size)

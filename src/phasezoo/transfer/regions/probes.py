"""What bodies are worth on a task: a new head, fitted to what they put out.

The generalised loss of arXiv:2302.04863: every body is judged on every task alike, whatever it was
tuned to, and whether it was trained at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.transfer.regions import logistic
from phasezoo.transfer.regions.estimates import Floats
from phasezoo.transfer.regions.start import Start

_NUMBERS = 2**18  # of features that are fitted as one program; more leave the caches


@dataclass(frozen=True)
class Probed:
    """Test scores of bodies with heads that are fitted to the training set, each [M].

    Attributes:
        loss: mean cross-entropy, nats; not a number where features are not finite.
        error: share misclassified; likewise.
        converged: whether the fit of the head has converged.
    """

    loss: Floats
    error: Floats
    converged: NDArray[np.bool_]


def probed(
    start: Start,
    bodies: Tensor,
    task: Task,
    penalty: float,
    iterations: int = 500,
    device: torch.device | None = None,
) -> Probed:
    """Fit a head to each of some frozen bodies, and judge both on the test set.

    A head is a multinomial logistic regression (`logistic.fit`) of what the body would give its
    own. A body with normalisation statistics gets those of the training set of `task`. There is no
    chance in it.

    Args:
        start: the pre-trained network that the bodies are of the same form as.
        bodies: [M, D].
        task: a classification; a smaller training set is that of `shares.few_shot`.
        penalty: half of it times the squared weights of standardised features is added to the mean
            loss.
        iterations: of a fit, at most.
        device: None: the CPU.
    """
    device = device or torch.device("cpu")
    network = Network(start.skeleton(), device, task.objective)
    if not len(bodies):
        return Probed(np.empty(0), np.empty(0), np.empty(0, dtype=bool))
    samples = len(task.train_labels) + len(task.test_labels)
    features = _features(network, bodies[0], task)[0].shape[1]
    together = max(1, _NUMBERS // (samples * features))
    parts = [
        _judged([_features(network, body, task) for body in some], task, penalty, iterations)
        for some in bodies.split(together)
    ]
    columns = zip(*parts, strict=True)
    return Probed(*(torch.cat(column).cpu().numpy() for column in columns))


def _features(network: Network, body: Tensor, task: Task) -> tuple[Tensor, Tensor]:
    """What a body [D] puts out for the training and for the test set, [N, F] float64 each."""
    parameters = body.to(network.device, torch.float32)
    function = network.function(network.with_statistics(parameters, task.train_inputs))
    chunk = task.objective.chunk
    train, test = (
        torch.cat([function(part).double() for part in inputs.split(chunk)]).flatten(1)
        for inputs in (task.train_inputs, task.test_inputs)
    )
    return train, test


def _judged(
    features: list[tuple[Tensor, Tensor]], task: Task, penalty: float, iterations: int
) -> tuple[Tensor, Tensor, Tensor]:
    train, test = (torch.stack(side) for side in zip(*features, strict=True))
    known = train.isfinite().all(dim=(1, 2)) & test.isfinite().all(dim=(1, 2))
    train, test = (torch.where(known[:, None, None], side, 0.0) for side in (train, test))
    fit = logistic.fit(train, task.train_labels, task.classes, penalty, iterations)
    logits = fit.logits(test)
    terms = torch.stack([task.objective.terms(some, task.test_labels) for some in logits])
    loss, error = terms[:, :, :2].mean(dim=1).where(known[:, None], torch.nan).unbind(dim=1)
    return loss, error, fit.converged & known

"""Straight-through estimation: permutations that are learned from the loss of the midpoint."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter

import torch
from torch import Tensor

from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.merging.alignment import Alignment, require_alignable
from phasezoo.merging.permutation import Permutations, PermutationSpec, permute
from phasezoo.merging.weight_matching import match, parameters_by_name
from phasezoo.models.flat import Weights
from phasezoo.spec.merging import Learning
from phasezoo.training.evaluate import evaluate


@dataclass(frozen=True)
class _Split:
    """Training data to learn from, and to choose by."""

    inputs: Tensor
    labels: Tensor
    held_inputs: Tensor
    held_labels: Tensor


def straight_through(
    network: Network,
    spec: PermutationSpec,
    models: Sequence[Weights],
    generator: torch.Generator,
    *,
    task: Task,
    learning: Learning,
    sweeps: int,
) -> Alignment:
    """Bring every model to where the loss of its midpoint with the first, A, is low.

    Minimises L((A + p(B~)) / 2) over free weights B~, which begin as A, where p(B~) is B permuted
    onto B~ by weight matching; the gradient passes through p as if it were the identity
    (Ainsworth et al. 2023, section 3.3). SGD with momentum, normalisation by batches.

    The code of the paper keeps the permutation of the lowest loss on one minibatch, which is
    chosen by luck as much as by merit. Here a part of the training set is held out; of the
    permutations at the ends of epochs, and that of plain weight matching, from which they all
    start, the one with the lowest loss there is kept. The objective is minus the lowest loss so
    far, at the start and after each epoch, summed over the models.

    Args:
        network: the architecture.
        spec: its permutations.
        models: the first stays.
        generator: draws what is held out, the order of samples, and orders of matching.
        task: whose training set is learned from.
        learning: how.
        sweeps: of each matching, at the most.

    Raises:
        ValueError: there are fewer than two models, or one has numbers that are not finite; or
            nothing would be held out, or everything.
    """
    require_alignable(models)
    start = perf_counter()
    split = _split(task, learning.held_out, generator)
    found = [
        _learned(network, spec, (models[0], model), generator, split, learning, sweeps)
        for model in models[1:]
    ]
    best = [min(of, key=lambda one: one[1]) for of in found]
    lowest = [torch.tensor([loss for _, loss in of]).double().cummin(0).values for of in found]
    still = {name: torch.arange(p.shape[-1]).expand(p.shape) for name, p in best[0][0].items()}
    return Alignment(
        permutations=(still, *(by for by, _ in best)),
        objective=tuple((-torch.stack(lowest).sum(dim=0)).tolist()),
        converged=True,
        seconds=perf_counter() - start,
    )


def _split(task: Task, share: float, generator: torch.Generator) -> _Split:
    samples = len(task.train_labels)
    held = round(share * samples)
    if not 0 < held < samples:
        raise ValueError(f"held_out: got {share} of {samples} samples, allowed is a part of them")
    order = torch.randperm(samples, generator=generator).to(task.train_labels.device)
    kept, out = order[held:], order[:held]
    inputs, labels = task.train_inputs, task.train_labels
    return _Split(inputs[kept], labels[kept], inputs[out], labels[out])


def _learned(
    network: Network,
    spec: PermutationSpec,
    ends: tuple[Weights, Weights],
    generator: torch.Generator,
    split: _Split,
    learning: Learning,
    sweeps: int,
) -> list[tuple[Permutations, float]]:
    """The permutations at the start and after each epoch, with their losses on what is held out."""
    free = ends[0].parameters.to(network.device).clone()
    velocity = torch.zeros_like(free)
    found: list[tuple[Permutations, float]] = []

    def projected() -> Permutations:
        near, B = parameters_by_name(network, (Weights(free, ends[0].buffers), ends[1]))
        return match(spec, near, B, generator, sweeps).permutations

    def middle(by: Permutations) -> Tensor:
        moved = permute(network, spec, ends[1], by).parameters
        return ((ends[0].parameters + moved) / 2).to(network.device)

    for epoch in range(learning.epochs + 1):
        for inputs, labels in _batches(split, learning.batch_size, generator) if epoch else ():
            gradient = _gradient(network, middle(projected()), inputs, labels)
            if not gradient.isfinite().all():
                break  # there is no way down from where outputs overflow
            velocity.mul_(learning.momentum).add_(gradient / 2)
            free.sub_(learning.learning_rate * velocity)
        by = projected()
        found.append((by, _held_out(network, middle(by), split)))
    return found


def _batches(
    split: _Split, size: int, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    order = torch.randperm(len(split.labels), generator=generator).to(split.labels.device)
    for chosen in order.split(size):
        yield split.inputs[chosen], split.labels[chosen]


def _gradient(network: Network, at: Tensor, inputs: Tensor, labels: Tensor) -> Tensor:
    at = at.requires_grad_()
    if network.has_statistics:
        outputs = network.apply_training(at, inputs)
    else:
        outputs = network.apply(at, torch.empty(0), inputs)
    (gradient,) = torch.autograd.grad(network.objective.loss(outputs, labels), at)
    return gradient


def _held_out(network: Network, parameters: Tensor, split: _Split) -> float:
    weights = network.with_statistics(parameters, split.inputs)
    function = network.function(weights)
    loss = evaluate(function, split.held_inputs, split.held_labels, network.objective).loss
    return loss if math.isfinite(loss) else math.inf

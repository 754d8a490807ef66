"""Gradients of many parameter vectors of one architecture, each on a batch of its own."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import vmap

from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.models.batch_last.layers import CHANNELS, StackedResNet, is_narrow

# From vectors [Q, P] and positions of training samples [Q, B] to gradients [Q, P].
Gradients = Callable[[Tensor, Tensor], Tensor]

# Vectors of linear layers, of narrow convolutions; a stack of fewer loses to a loop, one of more
# than `STACK_TO` gains no more and only takes memory (benchmarks/README.md).
STACK_FROM, CONVOLVE_FROM, STACK_TO = 6, 3, 12
FEATURES = 2**22  # of one layer in a stack of convolutions; bounds memory, changes nothing else
# From tensors [Q, ...] by name and inputs [Q, B, ...] to outputs [Q, B, ...].
Forward = Callable[[dict[str, Tensor], Tensor], Tensor]
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


def is_stackable(network: Network) -> bool:
    """Whether many vectors of a network are faster as one program than one after the other.

    Networks of linear layers are bound by the number of kernels they launch, and a stack launches
    those of one. Convolutions that are mapped over become grouped ones, which gain nothing on a
    CPU, and normalisation statistics cannot be kept per vector.
    """
    convolves = any(isinstance(layer, CONVOLUTIONS) for layer in network.module.modules())
    return not convolves and not network.has_statistics


def is_convolvable(network: Network) -> bool:
    """Whether the layers of `models.batch_last` are faster for several vectors of a network."""
    return network.device.type == "cpu" and is_narrow(network.module)


def vectors_per_stack(task: Task, samples: int) -> int:
    """How many vectors of a narrow convolutional network to compute as one program."""
    of_one = CHANNELS * task.train_inputs[0, 0].numel() * samples
    return max(1, min(STACK_TO, FEATURES // of_one))


def gradients_of(network: Network, task: Task, count: int, at_once: int | None = None) -> Gradients:
    """Gradients of the mean loss of a batch, in training mode, of `count` vectors.

    Row q of the result depends on row q of the vectors and of the positions only, and is the same
    up to rounding whether it is computed in a stack or alone.

    Args:
        network: the architecture.
        task: the data.
        count: of vectors.
        at_once: samples of a batch in one pass, whose gradients add up; None: all.
    """
    whole = _way(network, count)(network, task)
    return in_parts(whole, at_once) if at_once else whole


def _way(network: Network, count: int) -> Callable[[Network, Task], Gradients]:
    if is_stackable(network) and count >= STACK_FROM:
        return stacked_gradients
    if is_convolvable(network) and count >= CONVOLVE_FROM:
        return convolved_gradients
    return looped_gradients


def in_parts(gradients: Gradients, at_once: int) -> Gradients:
    """The same gradients as sums over parts of the batches."""

    def summed(vectors: Tensor, chosen: Tensor) -> Tensor:
        total = torch.zeros_like(vectors)
        for part in chosen.split(at_once, dim=1):
            total.add_(gradients(vectors, part), alpha=part.shape[1] / chosen.shape[1])
        return total

    return summed


def rows_as_tensors(network: Network, vectors: Tensor) -> dict[str, Tensor]:
    """Tensors [Q, ...] by name, views of vectors [Q, P]."""
    slots = network.parameters.slots
    parts = vectors.split([slot.size for slot in slots], dim=1)
    return {s.name: part.unflatten(1, s.shape) for s, part in zip(slots, parts, strict=True)}


def stacked_gradients(network: Network, task: Task) -> Gradients:
    """All vectors as one program: a forward pass mapped over them, one backward pass."""
    module = copy.deepcopy(network.module).train()
    return _together(
        vmap(lambda tensors, inputs: network.call(module, tensors, inputs)), network, task
    )


def convolved_gradients(network: Network, task: Task) -> Gradients:
    """The same of a narrow residual network, at most `STACK_TO` vectors at once.

    Its layers are those of `models.batch_last`, because convolutions and batch norms cannot be
    mapped over without loss.
    """
    together = _together(StackedResNet(network.module), network, task)

    def gradients(vectors: Tensor, chosen: Tensor) -> Tensor:
        most = vectors_per_stack(task, chosen.shape[1])
        stacks = zip(vectors.split(most), chosen.split(most), strict=True)
        return torch.cat([together(some, batches) for some, batches in stacks])

    return gradients


def _together(forward: Forward, network: Network, task: Task) -> Gradients:
    """Gradients by one backward pass through a forward pass of all vectors."""

    def gradients(vectors: Tensor, chosen: Tensor) -> Tensor:
        leaf = vectors.detach().requires_grad_()
        outputs = forward(rows_as_tensors(network, leaf), task.train_inputs[chosen])  # [Q, B, ...]
        targets = task.train_labels[chosen].flatten(0, 1)
        losses = task.objective.losses(outputs.flatten(0, 1), targets)  # [Q B]
        (found,) = torch.autograd.grad(losses.sum() / chosen.shape[1], leaf)
        return found

    return gradients


def looped_gradients(network: Network, task: Task) -> Gradients:
    """One vector after the other, through a module whose parameters are views of one vector."""
    module = copy.deepcopy(network.module).train()
    parameters = dict(module.named_parameters())
    like = next(iter(parameters.values()))
    vector, gradient = (like.new_zeros(network.parameters.size).detach() for _ in range(2))
    values, slopes = (network.parameters.unflatten(v) for v in (vector, gradient))
    for name, parameter in parameters.items():
        parameter.data, parameter.grad = values[name], slopes[name]

    def gradients(vectors: Tensor, chosen: Tensor) -> Tensor:
        found = torch.empty_like(vectors)
        for row, batch in enumerate(chosen):
            vector.copy_(vectors[row])
            gradient.zero_()
            outputs = task.objective.outputs(module, task.train_inputs[batch])
            task.objective.loss(outputs, task.train_labels[batch]).backward()
            found[row] = gradient
        return found

    return gradients

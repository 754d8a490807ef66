"""The Hessian of a loss as an operator on flat vectors."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from phasezoo.landscape.network import Network
from phasezoo.models.flat import Weights

Operator = Callable[[Tensor], Tensor]


def hessian_operator(
    network: Network, weights: Weights, inputs: Tensor, labels: Tensor
) -> Operator:
    """V -> H v for H = d2 L / d theta2, L the mean cross-entropy of a fixed sample.

    The graph of the gradient is built once and used for every product. Normalisation layers are
    in evaluation mode.

    Args:
        network: the architecture.
        weights: where the Hessian is taken.
        inputs: the sample, [N, ...].
        labels: [N].

    Returns:
        A function of vectors [P] on the network's device. Units: loss per squared weight.
    """
    theta = weights.parameters.to(network.device).clone().requires_grad_()
    logits = network.apply(theta, weights.buffers.to(network.device), inputs)
    loss = functional.cross_entropy(logits, labels)
    (gradient,) = torch.autograd.grad(loss, theta, create_graph=True)

    def product(vector: Tensor) -> Tensor:
        (out,) = torch.autograd.grad(gradient, theta, vector, retain_graph=True)
        return out.detach()

    return product

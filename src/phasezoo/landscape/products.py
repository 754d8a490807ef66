"""Products with the Hessian of the mean loss of a fixed sample."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge

from phasezoo.landscape.memory import cut, graph_size
from phasezoo.landscape.stack import Stack

Operator = Callable[[Tensor], Tensor]


class HessianProducts:
    """V -> H V with H = d2 L / d theta2 of each model of a stack; both [M, P].

    L is the mean loss over the sample, the network in evaluation mode. The Hessian of
    the sum over models has a block for each model, so one double backward pass gives the
    products of all. Units: loss per squared weight.

    The graph of the gradient is kept and used again for every product. Where it would take more
    than `limit` bytes, the sample is cut into chunks, whose Hessians add up; the graphs of some
    are kept, those of the others are made anew for each product.
    """

    def __init__(self, stack: Stack, inputs: Tensor, labels: Tensor, limit: int) -> None:
        """Measure the graph, cut the sample [N, ...] and build the graphs that are kept."""
        self.stack, self.inputs, self.labels = stack, inputs, labels
        single = stack.model(0)
        self.size = graph_size(
            lambda n: self._gradient(single, slice(0, n)),
            len(labels),
            [single.parameters, single.buffers, inputs, labels],
        )
        self.cut = cut(self.size, len(labels), limit // len(stack))
        starts = range(0, len(labels), self.cut.chunk)
        chunks = [slice(start, start + self.cut.chunk) for start in starts]
        self._kept = [self._gradient(stack, chunk) for chunk in chunks[: self.cut.kept]]
        self._made_anew = chunks[self.cut.kept :]

    def __call__(self, vectors: Tensor) -> Tensor:
        """H V for V [M, P], in the type of the parameters."""
        vectors = vectors.to(self.stack.parameters.dtype)
        total = torch.zeros_like(vectors)
        for gradient in self._kept:
            total += self._product(gradient, vectors, keep=True)
        for chunk in self._made_anew:
            total += self._product(self._gradient(self.stack, chunk), vectors, keep=False)
        return total

    def _gradient(self, stack: Stack, chunk: slice) -> GradientEdge:
        """The graph of the share of a chunk in the gradient [M, P]; its value is let go."""
        some = self.labels[chunk]
        labels = some.repeat(len(stack), *[1] * (some.ndim - 1))
        outputs = stack.outputs(self.inputs[chunk]).flatten(0, 1)  # [M n, ...]
        losses = stack.network.objective.losses(outputs, labels)
        loss = losses.sum() / len(self.labels)
        (gradient,) = torch.autograd.grad(loss, stack.parameters, create_graph=True)
        return get_gradient_edge(gradient)

    def _product(self, gradient: GradientEdge, vectors: Tensor, keep: bool) -> Tensor:
        (out,) = torch.autograd.grad(gradient, self.stack.parameters, vectors, retain_graph=keep)
        return out

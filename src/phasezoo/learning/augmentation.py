"""Random permutations of hidden units, which leave the function of a model alone."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from phasezoo.landscape.network import Network
from phasezoo.merging.permutation import infer, permute
from phasezoo.models.flat import Weights
from phasezoo.store.zoo import Zoo
from phasezoo.vocabulary import Number

CPU = torch.device("cpu")


class Shuffling:
    """Permutes the units of the models of one load of a zoo, parameters and buffers alike."""

    def __init__(self, zoo: Zoo, load: Number) -> None:
        """Read the permutations off the architecture, and prove them.

        Raises:
            AlignmentError: it cannot be traced.
            ZooError: this version of the package does not know the architecture.
        """
        module = zoo.blank(load)
        self._network = Network(module, CPU)
        shape = (2, *zoo.nodes.attrs["input_shape"])
        tokens = any(isinstance(part, nn.Embedding) for part in module.modules())
        self._spec = infer(module, torch.zeros(shape, dtype=torch.long if tokens else None))

    def __call__(self, weights: Weights, generator: torch.Generator) -> Weights:
        """The weights in a random order of their units, all orders being as likely."""
        layout = self._network.parameters
        shapes = {name: self._spec.shape(name, layout) for name in self._spec.names}
        by = {name: _orders(shape, generator) for name, shape in shapes.items()}
        return permute(self._network, self._spec, weights, by)


def _orders(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """A random order along the last axis for each place of the others."""
    *outer, size = shape
    rows = [torch.randperm(size, generator=generator) for _ in range(math.prod(outer))]
    return torch.stack(rows).reshape(shape)

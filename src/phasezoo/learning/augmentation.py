"""Random permutations of hidden units, which leave the function of a model alone."""

from __future__ import annotations

import torch

from phasezoo.landscape.network import Network
from phasezoo.merging.permutation import permutation_spec, permute
from phasezoo.models.flat import Weights
from phasezoo.store.zoo import Zoo
from phasezoo.vocabulary import Number

CPU = torch.device("cpu")


class Shuffling:
    """Permutes the units of the models of one load of a zoo, parameters and buffers alike."""

    def __init__(self, zoo: Zoo, load: Number) -> None:
        """Find the permutations of the architecture.

        Raises:
            AlignmentError: it has none that are known.
            ZooError: this version of the package does not know the architecture.
        """
        self._network = Network(zoo.blank(load), CPU)
        self._spec = permutation_spec(self._network.module)

    def __call__(self, weights: Weights, generator: torch.Generator) -> Weights:
        """The weights in a random order of their units, all orders being as likely."""
        sizes = {name: self._spec.size(name, self._network.parameters) for name in self._spec.names}
        by = {name: torch.randperm(n, generator=generator) for name, n in sizes.items()}
        return permute(self._network, self._spec, weights, by)

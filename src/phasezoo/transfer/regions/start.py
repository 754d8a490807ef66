"""A pre-trained network, and the bodies of the networks that are tuned from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from phasezoo import rng
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import Layout, Weights, parameter_layout
from phasezoo.spec.architecture import Architecture
from phasezoo.vocabulary import PhasezooError

HEAD = "head"  # what every architecture calls its last layer


class StartError(PhasezooError):
    """A network cannot be tuned from this start."""


@dataclass(frozen=True, eq=False)
class Start:
    """A pre-trained network.

    Tensors of its body are found by name, so that the networks tuned from it may be of another
    architecture, whose head differs: a language model's is tied to its embeddings, a classifier's
    is not.

    Attributes:
        architecture: of the pre-trained network.
        shape: of one input.
        classes: that it was pre-trained with.
        weights: its own, finite.
        tuned_as: architecture of the networks tuned from it; None: the same.
    """

    architecture: Architecture
    shape: tuple[int, ...]
    classes: int
    weights: Weights
    tuned_as: Architecture | None = None

    @cached_property
    def layout(self) -> Layout:
        """Where each tensor of a body lies in its vector [D]."""
        return parameter_layout(self.skeleton())

    @cached_property
    def body(self) -> Tensor:
        """The body that was pre-trained, [D] float32.

        Raises:
            StartError: it is not finite, or its tensors are not those of the tuned body.
        """
        if not self.weights.finite:
            raise StartError("start: got weights that are not finite, allowed are finite ones")
        module = build(self.architecture, self.shape, self.classes)
        tensors = parameter_layout(module).unflatten(self.weights.parameters)
        return self.layout.flatten(self._matched(tensors))

    def _matched(self, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        given = {name: t for name, t in tensors.items() if not in_head(name)}
        wanted = {slot.name: slot.shape for slot in self.layout.slots}
        for name in [*wanted, *given]:
            got = tuple(given[name].shape) if name in given else "no such tensor"
            allowed = wanted.get(name, "no such tensor")
            if got != allowed:
                raise StartError(
                    f"start, {name}: got {got}, allowed is {allowed}, as in the body of "
                    f"{self._tuned.name}"
                )
        return given

    def body_of(self, weights: Weights, classes: int) -> Tensor:
        """The body [D] float32 of a network tuned from here, with a head of so many classes."""
        with torch.device("meta"):  # the places of tensors are wanted, not their numbers
            layout = parameter_layout(build(self._tuned, self.shape, classes))
        return self.layout.flatten(layout.unflatten(weights.parameters))

    def skeleton(self) -> nn.Module:
        """A network that puts out what its head would be given; weights are not to be used."""
        # the number of classes decides nothing but the head, which is dropped
        module = build(self._tuned, self.shape, self.classes)
        if any(p is q for n, p in _parameters(module) if in_head(n) for q in _own(module)):
            raise StartError(
                f"{self._tuned.name}: got a head tied to the body, allowed is one of its own"
            )
        setattr(module, HEAD, nn.Identity())
        return module.eval()

    def network(self, classes: int, body: Tensor, *names: object) -> nn.Module:
        """A network with a given body [D] and a fresh head, drawn from (*names, "init").

        Statistics of normalisation are fresh too.
        """
        module = build(self._tuned, self.shape, classes)
        initialise(module, rng.generator(*names, "init"))
        tensors = self.layout.unflatten(body)
        with torch.no_grad():
            for name, parameter in module.named_parameters():
                if not in_head(name):
                    parameter.copy_(tensors[name])
        return module

    @property
    def _tuned(self) -> Architecture:
        return self.tuned_as or self.architecture


def in_head(name: str) -> bool:
    """Whether a tensor of this name is of the head."""
    return name.startswith(f"{HEAD}.")


def _parameters(module: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """All names of parameters, those of shared ones too."""
    return list(module.named_parameters(remove_duplicate=False))


def _own(module: nn.Module) -> list[nn.Parameter]:
    return [p for name, p in _parameters(module) if not in_head(name)]

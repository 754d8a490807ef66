"""How the answers of a network are judged: what the loss and the error of a task are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

Function = Callable[[Tensor], Tensor]


class Objective(ABC):
    """What a task asks of the outputs of a network.

    Everything here is differentiable where it has a gradient, and can be mapped over with
    ``torch.func.vmap``.

    Attributes:
        classifies: whether outputs are the logits of one class for each input.
        chunk: inputs per forward pass where no gradient is wanted. Bounds memory, and changes
            nothing but rounding, and the normalisation statistics that are re-estimated as means
            over chunks.
    """

    classifies: bool
    chunk: int

    def outputs(self, function: Function, inputs: Tensor) -> Tensor:
        """What is judged of a function on inputs [N, ...]: its values [N, ...]."""
        return function(inputs)

    @abstractmethod
    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Loss of every input, [N]; what is minimised is their mean."""

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean loss of a batch."""
        return self.losses(outputs, targets).mean()

    @abstractmethod
    def terms(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Loss, numerator and denominator of the error of every input, [N, 3] in float64."""

    def error(self, wrong: Tensor, of: Tensor) -> Tensor:
        """The error of a set from the sums of numerators and denominators."""
        return wrong / of

    def answers(self, function: Function, inputs: Tensor) -> Tensor:
        """What functions are compared by: their values at inputs [N, ...], without derivatives."""
        return function(inputs)

    def features(self, answers: Tensor) -> Tensor:
        """Answers, of the network or a layer, as [samples, features]."""
        return answers.flatten(1)

    def input_shape(self, inputs: Tensor) -> tuple[int, ...]:
        """Shape of one input of the network, from inputs [N, ...]."""
        return tuple(inputs.shape[1:])


class Classification(Objective):
    """One class for each input: cross-entropy (nats) of logits [N, K], share misclassified."""

    classifies = True
    chunk = 4096

    def __init__(self, size: int | None = None) -> None:
        """Of inputs of so many numbers each, where that is known."""
        if size:
            self.chunk = max(1, min(self.chunk, _NUMBERS // size))

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy of every input, [N]."""
        return functional.cross_entropy(outputs, targets, reduction="none")

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy of a batch, as one kernel."""
        return functional.cross_entropy(outputs, targets)

    def terms(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy, whether misclassified (not-a-number counts as wrong), and 1."""
        losses = self.losses(outputs.double(), targets)
        wrong = outputs.argmax(dim=1) != targets
        wrong = wrong | ~outputs.isfinite().all(dim=1)
        return torch.stack([losses, wrong.double(), torch.ones_like(losses)], dim=1)


class NextToken(Objective):
    """The next token at every position of a window: logits [N, T, V], targets [N, T].

    The loss of a window is the mean cross-entropy (nats) of its positions, the error the share
    of tokens that are not the most likely ones.
    """

    classifies = False

    def __init__(self, positions: int, vocabulary: int) -> None:
        """Windows of so many positions over so many symbols."""
        self.chunk = max(1, _LOGITS // (positions * vocabulary))

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy over the positions of every window, [N]."""
        wide = functional.cross_entropy(outputs.flatten(0, 1), targets.flatten(), reduction="none")
        return wide.view(targets.shape).mean(dim=1)

    def terms(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Loss of every window, its wrong tokens and its tokens."""
        losses = self.losses(outputs.double(), targets)
        wrong = outputs.argmax(dim=2) != targets
        wrong = wrong | ~outputs.isfinite().all(dim=2)
        count = torch.full_like(losses, targets.shape[1])
        return torch.stack([losses, wrong.double().sum(dim=1), count], dim=1)

    def features(self, answers: Tensor) -> Tensor:
        """Every position is a sample: [N T, features]."""
        return answers.flatten(0, 1).flatten(1)


# Of one forward pass: what goes in with images, what comes out with windows. Layers of ResNet-50 at
# width 256 put out 341 times what goes in, 5.7 GB.
_NUMBERS = 2**22
_LOGITS = 2**22
CLASSIFICATION = Classification()

"""A network as a function of a flat parameter vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call

from phasezoo.data.objective import CLASSIFICATION, Function, Objective
from phasezoo.models.applied import applied
from phasezoo.models.flat import Layout, Weights, buffer_layout, parameter_layout

_COMPARED = 512  # inputs per forward pass; bounds memory, changes nothing else


class Network:
    """An architecture without weights of its own, applied to flat vectors.

    The module it is made from serves as a skeleton; its weights are never changed. What comes out
    are the outputs that the objective judges: logits, or the residuals of an equation.
    """

    def __init__(
        self, module: nn.Module, device: torch.device, objective: Objective = CLASSIFICATION
    ) -> None:
        self.module = module.eval().to(device)
        self.device = device
        self.objective = objective
        self.parameters: Layout = parameter_layout(module)
        self.buffers: Layout = buffer_layout(module)
        self._buffer_types = {name: b.dtype for name, b in module.named_buffers()}

    @property
    def has_statistics(self) -> bool:
        """Whether the network carries normalisation statistics."""
        return self.buffers.size > 0

    def apply(self, parameters: Tensor, buffers: Tensor, inputs: Tensor) -> Tensor:
        """Outputs [N, ...] of inputs in evaluation mode, differentiable in `parameters` [P]."""
        tensors = self.parameters.unflatten(parameters) | self._buffers(buffers)
        return self.call(self.module, tensors, inputs)

    def call(self, module: nn.Module, tensors: dict[str, Tensor], inputs: Tensor) -> Tensor:
        """Outputs of a module with some tensors in the place of its own."""
        return self.objective.outputs(applied(module, tensors), inputs)

    def apply_training(self, parameters: Tensor, inputs: Tensor) -> Tensor:
        """The same with the statistics of the batch itself, as in training."""
        fresh = torch.zeros(self.buffers.size, device=self.device)
        self.module.train()
        try:
            return self.apply(parameters, fresh, inputs)
        finally:
            self.module.eval()

    def function(self, weights: Weights) -> Function:
        """From inputs to the outputs of some weights, in evaluation mode, without gradients."""
        parameters, buffers = weights.parameters.to(self.device), weights.buffers.to(self.device)

        def apply(inputs: Tensor) -> Tensor:
            with torch.no_grad():
                return self.apply(parameters, buffers, inputs)

        return apply

    @torch.no_grad()
    def features(self, weights: Weights, inputs: Tensor) -> Tensor:
        """What models are compared by, [samples, features]: the answers of some weights."""
        parameters, buffers = weights.parameters.to(self.device), weights.buffers.to(self.device)
        tensors = self.parameters.unflatten(parameters) | self._buffers(buffers)
        function = applied(self.module, tensors)
        parts = inputs.split(min(_COMPARED, self.objective.chunk))
        answers = torch.cat([self.objective.answers(function, part) for part in parts])
        return self.objective.features(answers)

    @torch.no_grad()
    def with_statistics(self, parameters: Tensor, inputs: Tensor) -> Weights:
        """Weights whose normalisation statistics are re-estimated on `inputs`.

        Interpolated parameters have no statistics of their own. They are the plain average over
        chunks of `inputs` (momentum None, starting from nothing), as in dnn-mode-connectivity.
        """
        if not self.has_statistics:
            return Weights(parameters, torch.empty(0))
        norms = [m for m in self.module.modules() if isinstance(m, nn.BatchNorm2d | nn.BatchNorm1d)]
        kept = [m.momentum for m in norms]
        buffers = self._buffers(torch.zeros(self.buffers.size, device=self.device))
        tensors = self.parameters.unflatten(parameters.to(self.device)) | buffers
        for norm in norms:
            norm.momentum = None
        self.module.train()
        try:
            # chunks of one size, because each counts the same in the average
            for chunk in inputs.tensor_split(-(-len(inputs) // self.objective.chunk)):
                functional_call(self.module, tensors, (chunk,))
        finally:
            self.module.eval()
            for norm, momentum in zip(norms, kept, strict=True):
                norm.momentum = momentum
        return Weights(parameters, self.buffers.flatten({n: tensors[n] for n in buffers}))

    def _buffers(self, vector: Tensor) -> dict[str, Tensor]:
        tensors = self.buffers.unflatten(vector)
        return {name: tensor.to(self._buffer_types[name]) for name, tensor in tensors.items()}

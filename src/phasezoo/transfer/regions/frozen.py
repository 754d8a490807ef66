"""Training a part of the parameters of a module: the others become buffers of the same name.

What trains flat parameters then trains these and no others, one model or a stack of them; it
carries no momentum for the rest, and the rest does not move by a bit.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from phasezoo.models.flat import Layout, Weights, buffer_layout, parameter_layout
from phasezoo.transfer.regions.start import in_head

Trained = Literal["all", "biases", "head"]


def freeze(module: nn.Module, trained: Trained) -> nn.Module:
    """Make buffers of all parameters that are not to be trained, in place; returns the module.

    Args:
        module: whose last layer is called `head`.
        trained: ``all`` parameters; the head and all ``biases``, those of norms too (BitFit, Ben
            Zaken et al. 2022); or the ``head`` alone.
    """
    for name, owner in list(module.named_modules()):
        for own, parameter in list(owner.named_parameters(recurse=False)):
            if not _is_trained(f"{name}.{own}".removeprefix("."), trained):
                delattr(owner, own)
                owner.register_buffer(own, parameter.detach().clone())
    return module


def _is_trained(name: str, trained: Trained) -> bool:
    if trained == "all" or in_head(name):
        return True
    return trained == "biases" and name.rpartition(".")[2] == "bias"


def thawed(weights: Weights, frozen: nn.Module, module: nn.Module) -> Weights:
    """Weights of a module with frozen parameters, as those of the module without.

    Args:
        weights: of `frozen`.
        frozen: what `freeze` made of another module of the same architecture.
        module: with nothing frozen.
    """
    layouts = (parameter_layout(frozen), buffer_layout(frozen))
    vectors = (weights.parameters, weights.buffers)
    tensors: dict[str, Tensor] = {}
    for layout, vector in zip(layouts, vectors, strict=True):
        tensors |= layout.unflatten(vector)
    wanted: tuple[Layout, Layout] = (parameter_layout(module), buffer_layout(module))
    return Weights(*(layout.flatten(tensors) for layout in wanted))

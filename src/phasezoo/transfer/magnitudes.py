"""Which weights of models are the smallest."""

from __future__ import annotations

from typing import assert_never

import torch
from torch import Tensor, nn

from phasezoo.models.flat import Slot, parameter_layout
from phasezoo.spec.downstream import Scope

_LAYERS = nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d


def prunable(module: nn.Module) -> tuple[Slot, ...]:
    """The weights that may be removed: those of linear layers and convolutions.

    Biases, norms, embeddings and a head that is an embedding are few, or say something else by
    their size, and stay.
    """
    names = {f"{name}.weight" for name, layer in module.named_modules() if _is_layer(layer)}
    return tuple(slot for slot in parameter_layout(module).slots if slot.name in names)


def _is_layer(layer: nn.Module) -> bool:
    return isinstance(layer, _LAYERS)


def kept(module: nn.Module, vector: Tensor, sparsity: float, scope: Scope) -> Tensor:
    """Which parameters [P] stay when a share of the weights is removed, the smallest first.

    Just round(sparsity n) of n weights go: of all the prunable weights together (``global``), or of
    each tensor (``layer``), by their absolute value. Of equal ones those that stand first go first.

    Args:
        module: the architecture.
        vector: parameters [P].
        sparsity: share that is removed, from 0 to below 1.
        scope: within what weights are compared.
    """
    places = [torch.arange(slot.offset, slot.offset + slot.size) for slot in prunable(module)]
    match scope:
        case "global":
            groups = [torch.cat(places)]
        case "layer":
            groups = places
        case _:
            assert_never(scope)
    stays = torch.ones(len(vector), dtype=torch.bool)
    for group in groups:
        order = vector[group].abs().argsort(stable=True)
        stays[group[order[: round(sparsity * len(group))]]] = False
    return stays

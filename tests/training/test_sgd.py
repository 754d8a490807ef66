"""SGD on one flat vector is torch's SGD on its tensors, to the bit."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional

import oracles
from phasezoo.models.flat import weights_of
from phasezoo.models.mlp import MLP
from phasezoo.training.sgd import FlatSgd

INPUTS = oracles.vector(17 * 15, 0).reshape(17, 15).float()
LABELS = torch.arange(17) % 3


def module() -> nn.Module:
    torch.manual_seed(3)
    return MLP((15,), 3, 7, 2)


def nothing(of: nn.Module) -> torch.Tensor:
    return torch.zeros(sum(p.numel() for p in of.parameters()))


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("weight_decay", [0.0, 0.03])
def test_steps_are_torchs_own_with_rates_that_change(nesterov: bool, weight_decay: float) -> None:
    ours = module()
    theirs = copy.deepcopy(ours)
    spec = oracles.sgd(weight_decay=weight_decay, nesterov=nesterov)
    flat = FlatSgd(ours, spec, nothing(ours))
    torchs = torch.optim.SGD(
        theirs.parameters(), lr=0.1, momentum=0.9, weight_decay=weight_decay, nesterov=nesterov
    )
    for rate, momentum in ((0.1, 0.9), (0.37, 0.85), (0.02, 0.95), (1e-3, 0.5)):
        flat.zero_grad()
        functional.cross_entropy(ours(INPUTS), LABELS).backward()
        flat.step(rate, momentum)
        torchs.param_groups[0].update(lr=rate, momentum=momentum)
        torchs.zero_grad()
        functional.cross_entropy(theirs(INPUTS), LABELS).backward()
        torchs.step()
        assert torch.equal(weights_of(ours).parameters, weights_of(theirs).parameters)
    kept = [torchs.state[p]["momentum_buffer"].reshape(-1) for p in theirs.parameters()]
    assert torch.equal(flat.momentum, torch.cat(kept))


def test_taking_over_changes_no_weight() -> None:
    ours = module()
    before = weights_of(ours).parameters
    FlatSgd(ours, oracles.sgd(), nothing(ours))
    assert torch.equal(weights_of(ours).parameters, before)


def test_the_momentum_that_it_goes_on_from_is_copied() -> None:
    ours = module()
    momentum = torch.ones_like(nothing(ours))
    flat = FlatSgd(ours, oracles.sgd(weight_decay=0.0), momentum)
    before = weights_of(ours).parameters
    flat.zero_grad()
    flat.step(rate=0.5, momentum=0.25)
    assert torch.equal(momentum, torch.ones_like(momentum))
    assert torch.equal(flat.momentum, torch.full_like(momentum, 0.25))
    assert torch.equal(weights_of(ours).parameters, before - 0.125)

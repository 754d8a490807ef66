"""Every network is the one that another package builds, given the same weights."""

from __future__ import annotations

import logging

import pytest
import torch

from models import twins
from models.every import CASES, Case, label
from phasezoo.spec import architecture as spec

LOG = logging.getLogger(__name__)  # `pytest --log-cli-level=info` shows the differences

# the numbers of the spec that matter here are other than in `CASES`, and images are larger
OTHERS = [
    Case(spec.ResNet(name="resnet-18", width=8), (3, 32, 32), 10),
    Case(spec.ResNet(name="resnet-50", width=4), (3, 32, 32), 10),
    Case(spec.ResNet(name="resnet-18", width=4), (3, 64, 64), 200),
    Case(spec.Vgg(name="vgg-16", norm="batch", width=5), (3, 64, 64), 10),
    Case(spec.Vit(name="vit", depth=12, heads=3, patch_size=4, embedding_dim=24), (3, 32, 32), 10),
    Case(spec.Gpt2(name="gpt-2", depth=12, heads=12, model_dim=72), (64,), 211),
]


@torch.no_grad()
@pytest.mark.parametrize("case", CASES + OTHERS, ids=label)
def test_a_network_is_that_of_another_package(case: Case) -> None:
    module, inputs = case.module(), case.inputs(5)
    package, twin = twins.twin_of(case, module)
    ours, theirs = module(inputs), twin(inputs)
    difference = ((ours - theirs).abs().max() / theirs.abs().max()).item()
    LOG.info("%s: %.1e from %s", label(case), difference, package)
    assert theirs.std() > 1e-3  # equal zeros would prove nothing
    assert difference < 1e-12

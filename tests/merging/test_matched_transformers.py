"""Transformers are aligned: heads as blocks, what is within each, and the residual stream."""

from __future__ import annotations

import pytest
import torch

from models.every import CASES, Case, label
from phasezoo import rng
from phasezoo.landscape.network import Network
from phasezoo.merging.permutation import PermutationSpec, cycles, infer, permute, prove
from phasezoo.merging.weight_matching import weight_matching
from phasezoo.models.flat import Weights, weights_of

NAMES = {"vit", "gpt-2", "gpt-2-classifier", "roberta"}
TRANSFORMERS = [case for case in CASES if case.architecture.name in NAMES]
both = pytest.mark.parametrize("case", TRANSFORMERS, ids=label)


def parts(case: Case) -> tuple[Network, PermutationSpec]:
    network = Network(case.module().float(), torch.device("cpu"))
    return network, infer(network.module, inputs(case))


def inputs(case: Case) -> torch.Tensor:
    given = case.inputs()
    return given.float() if given.is_floating_point() else given


@both
@pytest.mark.parametrize("seed", range(3))
def test_a_permuted_copy_is_found(case: Case, seed: int) -> None:
    network, spec = parts(case)
    one = weights_of(case.module(seed))
    by = cycles(spec, network.parameters, rng.generator("cycles", seed))
    other = permute(network, spec, one, by)
    found = weight_matching(network, spec, [one, other], rng.generator("order"), sweeps=50)
    back = permute(network, spec, other, found.permutations[1])
    assert torch.equal(back.parameters, one.parameters)


@both
def test_aligning_two_models_leaves_the_function_and_brings_them_closer(case: Case) -> None:
    network, spec = parts(case)
    one, other = (weights_of(case.module(seed)) for seed in (0, 1))
    found = weight_matching(network, spec, [one, other], rng.generator("order"), sweeps=50)
    moved = permute(network, spec, other, found.permutations[1])
    before, after = (network.function(model)(inputs(case)) for model in (other, moved))
    # float32 sums in another order, relative to the largest output
    torch.testing.assert_close(after, before, rtol=0, atol=1e-5 * before.abs().max().item())
    distances = [(one.parameters - model.parameters).norm() for model in (other, moved)]
    assert distances[1] < distances[0]


@both
def test_a_spec_is_proved_on_a_model_in_float32(case: Case) -> None:
    network, spec = parts(case)
    model: Weights = weights_of(case.module(2))
    prove(network, spec, model, inputs(case), rng.generator("prove"))

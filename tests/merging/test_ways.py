"""Every way of aligning takes transformers, and finds a permuted copy of one."""

from __future__ import annotations

import pytest
import torch

from merging import nets
from merging.test_matched_transformers import TRANSFORMERS, inputs, parts
from models.every import Case, label
from phasezoo import rng
from phasezoo.data.objective import CLASSIFICATION, NextToken
from phasezoo.data.task import Task
from phasezoo.landscape.network import Network
from phasezoo.merging import arms
from phasezoo.merging.baselines import Models
from phasezoo.merging.corrections import merged
from phasezoo.merging.permutation import permutation_spec
from phasezoo.merging.ways import aligner_of, recovers
from phasezoo.models.flat import Weights, weights_of
from phasezoo.spec.merging import Arms, Merging, Way

WAYS: tuple[Way, ...] = ("weights", "activations", "products", "merge_many", "universe")
ARMS = Arms.model_validate({"alignments": WAYS, "corrections": ["kept"], "samples": 31})
LEARNING = {
    "epochs": 1,
    "batch_size": 32,
    "learning_rate": 0.01,
    "momentum": 0.9,
    "held_out": 0.2,
}
both = pytest.mark.parametrize("case", TRANSFORMERS, ids=label)


def task_of(case: Case) -> Task:
    """Inputs of the architecture, and labels that mean nothing."""
    given = inputs(case)
    if given.is_floating_point():
        labels, objective = torch.zeros(len(given), dtype=torch.int64), CLASSIFICATION
    else:
        labels, objective = given, NextToken(given.shape[1], 11)
    return Task("inputs", given, labels, given, labels, 11, objective)


@both
@pytest.mark.parametrize("way", WAYS)
def test_a_permuted_copy_is_recovered(case: Case, way: Way) -> None:
    network, spec = parts(case)
    aligner = aligner_of(way, task_of(case), ARMS, sweeps=50)
    chance = rng.generator("copy")
    assert recovers(aligner, network, spec, weights_of(case.module(0)), chance)


@both
def test_models_as_they_are_are_not(case: Case) -> None:
    network, spec = parts(case)
    aligner = aligner_of("none", task_of(case), ARMS, sweeps=50)
    assert not recovers(aligner, network, spec, weights_of(case.module(0)), rng.generator("copy"))


@both
def test_a_transformer_and_itself_are_repaired_to_itself(case: Case) -> None:
    network, _ = parts(case)
    one, given = weights_of(case.module(0)), inputs(case)
    windows = given.is_floating_point() or network.module(given).ndim == 3
    objective = task_of(case).objective if windows else CLASSIFICATION
    network = Network(network.module, torch.device("cpu"), objective)
    found = merged(network, [one, one], (0.5, 0.5), "repair", given)
    before, after = (network.function(weights)(given) for weights in (one, found))
    torch.testing.assert_close(after, before, rtol=0, atol=1e-4 * before.abs().max().item())


@pytest.mark.parametrize("way", [*WAYS, "none", "straight_through"])
def test_a_model_whose_outputs_overflow_is_merged_all_the_same(way: Way) -> None:
    """It has no loss, and stops nothing."""
    given = {"alignments": [way], "corrections": ["kept", "reset", "repair"], "samples": 31}
    if way == "straight_through":
        given["learning"] = LEARNING
    given["judged"] = {"bins": 5}
    options = Merging.model_validate(
        {"epochs": [1], "sweeps": 5, "points": 3, "last_checkpoints": [0, 1], "arms": given}
    )
    architecture = nets.mlp(2, 5)
    net = nets.network(architecture)
    one, other = (nets.weights(architecture, seed) for seed in range(2))
    models = [one, Weights(other.parameters * 1e25, other.buffers)]
    comparison = arms.Arms(net, permutation_spec(net.module), nets.TASK, options)
    spec, pair_of = comparison.spec, Models(models, ())
    found = comparison.aligner(way)(net, spec, models, rng.generator("far"))
    pair = comparison.of_pair(pair_of, [found])
    assert not torch.tensor(pair["path_test_loss"])[..., 1].isfinite().any()
    assert not torch.tensor(pair["judged_midpoint_calibration_error"]).isfinite().any()
    seeds = comparison.of_seeds(pair_of, [found.applied(net, spec, models)])
    assert set(seeds) >= {"soup_loss", "baseline_loss"}

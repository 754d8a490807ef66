"""REPAIR, statistics, temperatures, soups and ensembles: closed forms and plain torch."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import oracles
from merging import nets
from phasezoo import rng
from phasezoo.data.objective import CLASSIFICATION, Classification
from phasezoo.merging.activations import Sites, moments
from phasezoo.merging.corrections import merged
from phasezoo.merging.halves import (
    calibrated,
    chosen_and_judged,
    halves,
    temperature,
    together,
    with_prior,
)
from phasezoo.merging.permutation import permutation_spec, permute
from phasezoo.merging.repair import repair, repaired_layers
from phasezoo.merging.soups import greedy_members, greedy_soup, uniform_soup
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import Weights, load_weights
from phasezoo.spec.architecture import Architecture, ResNet20, Vgg
from phasezoo.training.evaluate import evaluate
from phasezoo.training.train import start, train

TASK = oracles.blobs(train=101, test=53, shape=(2, 5, 5), classes=5)
MLP, RESIDUAL = nets.mlp(3, 11), nets.resnet(2, 3)
LAYERED = ResNet20(name="resnet-20", norm="layer", width=3)
PLAIN = Vgg(name="vgg-11", norm="none", width=3)
REPAIRED = pytest.mark.parametrize(
    "architecture", [MLP, LAYERED, PLAIN, RESIDUAL], ids=lambda a: a.name
)


def ends(architecture: Architecture) -> tuple[nets.Network, list[Weights]]:
    return nets.network(architecture), [nets.weights(architecture, seed) for seed in range(2)]


@REPAIRED
def test_repair_sets_means_and_deviations_to_those_of_the_models(
    architecture: Architecture,
) -> None:
    net, models = ends(architecture)
    inputs = nets.task_of(architecture).train_inputs
    shares = (0.25, 0.75)
    found = repair(net, models, shares, inputs)
    sites = Sites({f"{layer}.out": None for layer in repaired_layers(net.module)}, {})
    first, second, own = (moments(net, of, inputs, sites) for of in (*models, found))
    collapsed = moments(net, merged(net, models, shares, "reset", inputs), inputs, sites)
    below = []
    for site in sites.axes:
        for name in ("mean", "deviation"):
            a, b, reached = (getattr(of, name)[site] for of in (first, second, own))
            wanted = 0.25 * a + 0.75 * b
            alive = own.deviation[site] > 0
            close = {"rtol": 1e-4, "atol": 1e-4 * wanted.abs().max().item()}
            torch.testing.assert_close(reached[alive], wanted[alive], **close)
        below.append((collapsed.deviation[site] / own.deviation[site]).nanmedian())
    assert sites.axes
    if architecture is MLP:
        assert min(below) < 0.9  # there was something to put right


@REPAIRED
@pytest.mark.parametrize("correction", ["kept", "reset", "repair"])
def test_a_model_and_itself_merge_to_itself(architecture: Architecture, correction) -> None:
    net, (one, _) = ends(architecture)
    inputs = nets.task_of(architecture).train_inputs
    reset = net.with_statistics(one.parameters, inputs)
    model = one if correction == "kept" else reset
    found = merged(net, [model, model], (0.5, 0.5), correction, inputs)
    expected, outputs = (nets.wide_outputs(architecture, of, inputs) for of in (model, found))
    # weights are kept in float32; layer after layer that is all that is lost
    within = 2e-6 * expected.abs().max().item()
    torch.testing.assert_close(outputs, expected, rtol=0, atol=within)


def test_moments_of_unequal_chunks_are_those_of_all_inputs() -> None:
    """One layer that is put right, so that nothing before it depends on the chunks."""
    shallow = nets.mlp(1, 11)
    objective = Classification()
    objective.chunk = 19  # of 53 inputs: chunks of 18, 18 and 17
    net = nets.Network(nets.built(shallow), nets.CPU, objective)
    model = nets.weights(shallow, 0)
    found = repair(net, [model, model], (0.5, 0.5), nets.TASK.train_inputs)
    torch.testing.assert_close(found.parameters, model.parameters, rtol=1e-6, atol=1e-6)


@REPAIRED
def test_repair_goes_with_permutations(architecture: Architecture) -> None:
    net, models = ends(architecture)
    spec, inputs = permutation_spec(net.module), nets.task_of(architecture).train_inputs
    by = nets.random_permutations(net, spec, 0)
    moved = [permute(net, spec, model, by) for model in models]
    plain, other = (
        net.function(repair(net, of, (0.5, 0.5), inputs))(inputs) for of in (models, moved)
    )
    torch.testing.assert_close(other, plain, rtol=0, atol=1e-4 * plain.abs().max().item())


def test_kept_statistics_are_averaged_and_reset_ones_are_those_of_the_network() -> None:
    net, models = ends(RESIDUAL)
    kept, reset = (
        merged(net, models, (0.25, 0.75), how, nets.TASK.train_inputs) for how in ("kept", "reset")
    )
    first, second = models
    torch.testing.assert_close(kept.buffers, 0.25 * first.buffers + 0.75 * second.buffers)
    torch.testing.assert_close(kept.parameters, 0.25 * first.parameters + 0.75 * second.parameters)
    assert torch.equal(reset.parameters, kept.parameters)
    again = net.with_statistics(kept.parameters, nets.TASK.train_inputs)
    assert torch.equal(reset.buffers, again.buffers)
    assert not torch.equal(reset.buffers, kept.buffers)


@functools.cache
def trained(seed: int) -> Weights:
    module = build(MLP, TASK.shape, TASK.classes)
    initialise(module, rng.generator("init", seed))
    how = oracles.optimisation(oracles.onecycle(5))
    (last,) = train(module, TASK, how, ("soup", str(seed)), start(module), (5,))
    return last.weights


NET = nets.Network(build(MLP, TASK.shape, TASK.classes), nets.CPU)


@pytest.mark.parametrize("true", [0.3, 1.0, 4.0])
def test_labels_drawn_at_a_temperature_give_it_back(true: float) -> None:
    chance = rng.generator("temperature")
    logits = 3 * torch.randn(200_003, 5, generator=chance, dtype=torch.float64)
    labels = (logits / true).softmax(dim=1).multinomial(1, generator=chance).squeeze(1)
    # a standard error is about 1 / sqrt(samples) times a few
    assert temperature(logits, labels, CLASSIFICATION) == pytest.approx(true, rel=0.02)


def test_two_classes_have_a_temperature_in_closed_form() -> None:
    """Logits +-1 of which a share p are right: tanh-like, T = 2 / log(p / (1 - p))."""
    logits = torch.tensor([[1.0, -1.0]] * 100)
    labels = torch.tensor([0] * 83 + [1] * 17)
    expected = 2 / math.log(0.83 / 0.17)
    assert temperature(logits, labels, CLASSIFICATION) == pytest.approx(expected, rel=1e-5)


def test_a_temperature_is_chosen_on_one_half_and_judged_on_the_other() -> None:
    middle = merged(NET, [trained(0), trained(1)], (0.5, 0.5), "kept", TASK.train_inputs)
    function = NET.function(middle)
    found, losses, chosen = calibrated(function, TASK), [], []
    first, second = halves(TASK)
    for on, judged in ((first, second), (second, first)):
        grid = np.exp(np.linspace(-2, 2, 2001))
        logits = function(on.inputs).double()
        best = min(grid, key=lambda t: functional.cross_entropy(logits / t, on.labels).item())
        chosen.append(best)
        other = function(judged.inputs).double() / best
        losses.append(functional.cross_entropy(other, judged.labels).item())
    assert found.temperature == pytest.approx(np.mean(chosen), rel=5e-3)
    assert found.loss == pytest.approx(np.mean(losses), rel=1e-4)


def test_halves_are_disjoint_and_all_there_is() -> None:
    first, second = halves(TASK)
    both = torch.cat([first.inputs, second.inputs])
    assert len(both) == len(TASK.test_inputs)
    assert len(both.unique(dim=0)) == len(TASK.test_inputs.unique(dim=0))
    assert abs(len(first.inputs) - len(second.inputs)) <= 1


def test_an_ensemble_has_the_mean_of_the_logits() -> None:
    functions = [NET.function(trained(seed)) for seed in range(3)]
    mean = sum(function(TASK.test_inputs) for function in functions) / 3
    torch.testing.assert_close(together(functions)(TASK.test_inputs), mean)


def test_a_prior_is_corrected_by_the_rule_of_bayes() -> None:
    """Gaussians of known posterior: told how often classes come, they are those of the other."""
    chance = rng.generator("prior")
    points = torch.randn(13, 1, generator=chance, dtype=torch.float64)
    means = torch.tensor([-1.0, 0.5, 2.0], dtype=torch.float64)
    before, after = torch.tensor([0.7, 0.2, 0.1]).double(), torch.tensor([0.2, 0.2, 0.6]).double()

    def posterior(prior: torch.Tensor) -> torch.Tensor:
        density = torch.exp(-((points - means) ** 2) / 2) * prior
        return density / density.sum(dim=1, keepdim=True)

    corrected = with_prior(lambda inputs: posterior(before).log(), before, after)(points)
    torch.testing.assert_close(corrected.softmax(dim=1), posterior(after))


def test_a_uniform_soup_is_the_plain_mean() -> None:
    models = [trained(seed) for seed in range(3)]
    module = build(MLP, TASK.shape, TASK.classes)
    mean = torch.stack([model.parameters for model in models]).mean(dim=0)
    load_weights(module, Weights(mean, torch.empty(0)))
    with torch.no_grad():
        logits = module(TASK.test_inputs)
    found = uniform_soup(NET, TASK, models, "kept")
    assert found.loss == pytest.approx(
        functional.cross_entropy(logits, TASK.test_labels).item(), rel=1e-5
    )
    wrong = (logits.argmax(1) != TASK.test_labels).double().mean().item()
    assert found.error == pytest.approx(wrong, abs=1e-12)


def test_a_greedy_soup_takes_what_does_not_harm() -> None:
    net, good = NET, trained(0)
    chance = rng.generator("bad")
    noise = 5 * torch.randn(good.parameters.shape, generator=chance)
    bad = Weights(good.parameters + noise, good.buffers)
    first, _ = halves(TASK)
    assert greedy_members(net, TASK, [bad, good, good], "kept", first) == [1, 2]
    alone = chosen_and_judged(TASK, lambda on: net.function(good))
    found = greedy_soup(net, TASK, [bad, good], "kept")
    assert found == alone
    assert found.error < uniform_soup(net, TASK, [bad, good], "kept").error


def test_a_greedy_soup_is_no_worse_where_it_is_chosen() -> None:
    models = [trained(seed) for seed in range(5)]
    first, _ = halves(TASK)
    members = greedy_members(NET, TASK, models, "kept", first)
    soup = merged(
        NET,
        [models[i] for i in members],
        [1 / len(members)] * len(members),
        "kept",
        TASK.train_inputs,
    )
    errors = [
        evaluate(NET.function(of), first.inputs, first.labels, CLASSIFICATION).error
        for of in (soup, *models)
    ]
    assert errors[0] <= min(errors[1:])
    assert errors[1 + members[0]] == min(errors[1:])


def test_judging_both_ways_of_one_function_is_the_mean_of_the_halves() -> None:
    function = NET.function(trained(0))
    found = chosen_and_judged(TASK, lambda on: function)
    scores = [evaluate(function, of.inputs, of.labels, CLASSIFICATION) for of in halves(TASK)]
    assert found.loss == pytest.approx((scores[0].loss + scores[1].loss) / 2, rel=1e-12)


def test_layers_that_are_repaired_have_an_affine_map_and_are_not_the_head() -> None:
    assert list(repaired_layers(nets.built(MLP))) == ["hidden.0", "hidden.1", "hidden.2"]
    layers = repaired_layers(nets.built(LAYERED))
    assert all(isinstance(layer, nn.LayerNorm) for layer in layers.values())
    assert len(layers) == 1 + 9 * 2 + 2

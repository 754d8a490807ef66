"""The coefficient of a network is that of its quadratic, and each model is measured alone."""

from __future__ import annotations

from dataclasses import astuple
from math import log

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import oracles
from phasezoo import rng
from phasezoo.landscape import learning_coefficient as module_under_test
from phasezoo.landscape import stacked
from phasezoo.landscape.learning_coefficient import (
    NO_COEFFICIENT,
    LearningCoefficient,
    inverse_temperature,
    learning_coefficient,
)
from phasezoo.landscape.network import Network
from phasezoo.models.build import initialise
from phasezoo.models.flat import Weights, weights_of
from phasezoo.models.mlp import MLP
from phasezoo.models.small_resnet import SmallResNet
from phasezoo.spec.numbers import LocalLearning

CPU = torch.device("cpu")
TASK = oracles.blobs(train=37, shape=(1, 4, 4))
INPUTS, LABELS = TASK.train_inputs, TASK.train_labels


def options(**changes: float) -> LocalLearning:
    given: dict[str, object] = {
        "epochs": (1,),
        "samples": 37,
        "chains": 3,
        "steps": 12,
        "burn_in": 5,
        "step_size": 1e-4,
        "localisation": 10.0,
        "batch_size": 11,
    }
    return LocalLearning.model_validate(given | changes)


def mlp() -> nn.Module:
    return MLP(TASK.shape, 3, 7, 1)


def resnet() -> nn.Module:
    return SmallResNet(TASK.shape, 3, 2, 2)


def drawn(module: nn.Module, number: int) -> list[Weights]:
    out = []
    for i in range(number):
        initialise(module, rng.generator("coefficient", i))
        out.append(weights_of(module))
    return out


def measured(
    network: Network, models: list[Weights], how: LocalLearning, names: list[int] | None = None
) -> list[LearningCoefficient]:
    chance = [rng.generator("chains", i) for i in names or range(len(models))]
    return learning_coefficient(network, models, INPUTS, LABELS, how, chance)


def values(found: LearningCoefficient) -> list[float]:
    return [*astuple(found.estimate), found.r_hat, *astuple(found.equipartition)]


def test_a_softmax_regression_at_its_minimum_has_the_coefficient_of_its_hessian() -> None:
    """lambda = 1/2 sum n beta h / (n beta h + gamma) where the posterior is a Gaussian."""
    random = np.random.default_rng(0)
    inputs = torch.from_numpy(random.standard_normal((400, 3))).float()
    labels = torch.from_numpy(random.integers(0, 3, 400))
    linear = nn.Linear(3, 3)
    optimiser = torch.optim.LBFGS(linear.parameters(), max_iter=200, tolerance_grad=1e-9)

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = functional.cross_entropy(linear(inputs), labels)
        loss.backward()
        return loss

    optimiser.step(closure)
    network, weights = Network(linear, CPU), weights_of(linear)

    def loss_of(theta: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(network.apply(theta, weights.buffers, inputs), labels)

    hessian = torch.autograd.functional.hessian(loss_of, weights.parameters)
    curvatures = 400 / log(400) * torch.linalg.eigvalsh(hessian).numpy()
    expected = 0.5 * (curvatures / (curvatures + 40)).sum()
    how = options(chains=40, burn_in=150, steps=350, step_size=1e-3, localisation=40.0)
    how = how.model_copy(update={"batch_size": 400})
    chance = [rng.generator("softmax")]
    (found,) = learning_coefficient(network, [weights], inputs, labels, how, chance)
    assert found.converged
    assert found.estimate.standard_error < 0.05 * expected
    assert found.estimate.value == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("make", [mlp, resnet])
def test_a_model_does_not_depend_on_its_stack_nor_fail_with_it(make: type) -> None:
    module = make()
    network, (a, b, c) = Network(module, CPU), drawn(module, 3)
    lost = Weights(a.parameters * float("nan"), a.buffers)
    together = measured(network, [a, lost, b, c], options())
    assert together[1] is NO_COEFFICIENT
    for place, model in ((0, a), (2, b), (3, c)):
        (alone,) = measured(network, [model], options(), [place])
        np.testing.assert_allclose(values(together[place]), values(alone), rtol=1e-3, atol=1e-4)


def test_shares_of_the_stack_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    module = mlp()
    network, models = Network(module, CPU), drawn(module, 3)
    whole = measured(network, models, options())
    monkeypatch.setattr(module_under_test, "STACK", 1)
    for one, other in zip(whole, measured(network, models, options()), strict=True):
        np.testing.assert_allclose(values(other), values(one), rtol=1e-3, atol=1e-4)


def test_convolutions_one_by_one_and_together_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    module = resnet()
    network, models = Network(module, CPU), drawn(module, 2)
    together = measured(network, models, options())
    monkeypatch.setattr(stacked, "MUCH", 0)
    for one, other in zip(together, measured(network, models, options()), strict=True):
        np.testing.assert_allclose(values(other), values(one), rtol=1e-3, atol=1e-4)


def test_the_same_generator_gives_the_same_chains_and_another_others() -> None:
    module = mlp()
    network, models = Network(module, CPU), drawn(module, 1)
    assert measured(network, models, options()) == measured(network, models, options())
    assert measured(network, models, options()) != measured(network, models, options(), [1])


def test_minibatches_agree_with_the_whole_sample() -> None:
    module = mlp()
    network, models = Network(module, CPU), drawn(module, 1)
    how = {"chains": 8, "steps": 150, "burn_in": 150, "step_size": 1e-3, "localisation": 50.0}
    (part,), (whole,) = (measured(network, models, options(**how, batch_size=n)) for n in (11, 37))
    error = np.hypot(part.estimate.standard_error, whole.estimate.standard_error)
    assert abs(part.estimate.value - whole.estimate.value) < 4 * error


def test_permuting_hidden_units_changes_nothing_but_the_chains() -> None:
    module = mlp()
    network, (weights,) = Network(module, CPU), drawn(module, 1)
    tensors = network.parameters.unflatten(weights.parameters)
    order = torch.randperm(7, generator=rng.generator("order"))
    for name in ("hidden.0.weight", "hidden.0.bias"):
        tensors[name] = tensors[name][order]
    tensors["head.weight"] = tensors["head.weight"][:, order]
    permuted = Weights(network.parameters.flatten(tensors), weights.buffers)
    how = options(chains=8, steps=150, burn_in=150, step_size=1e-3, localisation=50.0)
    one, other = measured(network, [weights, permuted], how)
    error = np.hypot(one.estimate.standard_error, other.estimate.standard_error)
    assert abs(one.estimate.value - other.estimate.value) < 4 * error


def test_a_model_that_is_no_minimum_is_not_converged() -> None:
    module = mlp()
    how = options(chains=4, steps=100, burn_in=100, step_size=1e-3, localisation=20.0)
    (found,) = measured(Network(module, CPU), drawn(module, 1), how)
    assert found.estimate.value < 0
    assert not found.converged


def test_no_models_give_no_coefficients() -> None:
    assert measured(Network(mlp(), CPU), [], options()) == []


def test_the_temperature_is_that_of_the_sample() -> None:
    assert inverse_temperature(LABELS) == pytest.approx(37 / np.log(37))


def test_a_sample_smaller_than_a_minibatch_is_refused() -> None:
    with pytest.raises(ValueError, match="samples: got 37, allowed are at least batch_size = 38"):
        measured(Network(mlp(), CPU), [], options(samples=38, batch_size=38))


def test_generators_are_one_per_model() -> None:
    module = mlp()
    with pytest.raises(ValueError, match="generators: got 0, allowed are 1"):
        learning_coefficient(Network(module, CPU), drawn(module, 1), INPUTS, LABELS, options(), [])

"""Chains on analytic losses give the learning coefficients known for them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch import Tensor

from phasezoo import rng
from phasezoo.landscape.chains import chain_mean
from phasezoo.landscape.langevin import Langevin, Walk, langevin
from phasezoo.landscape.learning_coefficient import coefficient_of

Loss = Callable[[Tensor], Tensor]  # from [C, P] to [C], with its minimum 0 at the origin


def walk(loss: Loss, chains: int, size: int, settings: Langevin, *names: object) -> Walk:
    chance = rng.generator("langevin", *names)

    def gradient(position: Tensor) -> tuple[Tensor, Tensor]:
        position = position.detach().requires_grad_()
        losses = loss(position)
        (slope,) = torch.autograd.grad(losses.sum(), position)
        return losses.detach(), slope

    def noise() -> Tensor:
        return torch.randn(chains, size, generator=chance, dtype=torch.float64)

    return langevin(gradient, torch.zeros(chains, size, dtype=torch.float64), noise, settings)


def settings(
    inverse_temperature: float = 50.0,
    localisation: float = 1.0,
    step_size: float = 1e-3,
    burn_in: int = 1000,
    steps: int = 1000,
) -> Langevin:
    return Langevin(
        inverse_temperature=inverse_temperature,
        localisation=localisation,
        step_size=step_size,
        burn_in=burn_in,
        steps=steps,
    )


CURVATURES = torch.tensor([0.5, 1.0, 2.0, 3.0, 0.0], dtype=torch.float64)


def bowl(position: Tensor) -> Tensor:
    return 0.5 * (CURVATURES * position**2).sum(dim=1)


def test_a_quadratic_has_the_closed_form_of_the_discrete_walk() -> None:
    """Each direction is autoregressive, with variance 1 / (k (1 - epsilon k / 4))."""
    how = settings(localisation=5.0, step_size=4e-3, burn_in=1000, steps=2000)
    found = walk(bowl, 40, 5, how, "bowl")
    k = 50 * CURVATURES.numpy() + 5
    variance = 1 / (k * (1 - 4e-3 * k / 4))
    excess, virial = chain_mean(50 * found.excess).mean, chain_mean(found.virial).mean
    expected = 0.5 * (50 * CURVATURES.numpy() * variance).sum()
    assert abs(excess.value - expected) < 4 * excess.standard_error
    assert excess.standard_error < 0.02 * expected
    assert abs(virial.value - (k * variance).sum()) < 4 * virial.standard_error


def test_a_regular_model_has_half_its_parameters() -> None:
    def round_bowl(position: Tensor) -> Tensor:
        return position.square().sum(dim=1)

    how = settings(1000.0, 1.0, 2e-5, 200, 2000)
    found = coefficient_of(walk(round_bowl, 50, 7, how, "regular"), 1000.0, 7)
    assert found.estimate.value == pytest.approx(3.5, rel=0.03)
    assert found.converged


def test_a_flat_direction_of_fourth_order_counts_a_quarter() -> None:
    """For L = x^2 + y^4 the coefficient is 1/2 + 1/4, at any temperature without localisation."""

    def valley(position: Tensor) -> Tensor:
        return position[:, 0] ** 2 + position[:, 1] ** 4

    how = settings(10.0, 0.0, 2e-3, 1500, 2500)
    found = coefficient_of(walk(valley, 400, 2, how, "fourth"), 10.0, 2)
    assert found.estimate.value == pytest.approx(0.75, rel=0.03)
    assert found.converged


def cross(beta: float, gamma: float) -> float:
    """The localised coefficient of L = x^2 y^2, y integrated in closed form."""

    def density(x: float) -> float:
        return float(np.exp(-gamma / 2 * x * x) / np.sqrt(beta * x * x + gamma / 2))

    def energy(x: float) -> float:
        return density(x) * 0.5 * beta * x * x / (beta * x * x + gamma / 2)

    ends = (0, 8 / np.sqrt(gamma))
    kink = [np.sqrt(gamma / beta)]
    return quad(energy, *ends, points=kink)[0] / quad(density, *ends, points=kink)[0]


def test_two_crossing_valleys_have_the_integral_of_their_density() -> None:
    def valleys(position: Tensor) -> Tensor:
        return position.square().prod(dim=1)

    how = settings(30.0, 2.0, 1e-3, 2500, 2500)
    found = coefficient_of(walk(valleys, 400, 2, how, "cross"), 30.0, 2)
    assert found.estimate.value == pytest.approx(cross(30.0, 2.0), rel=0.04)
    assert found.estimate.value < 0.5 < cross(1e9, 1.0) + 0.05  # 1/2 in the limit, slowly


def linear_network(beta: float, gamma: float, draws: int) -> float:
    """The localised coefficient of L = 1/2 |W2 W1|^2, 2 x 2 each: W2 integrated, W1 drawn."""
    first = np.random.default_rng(0).standard_normal((draws, 2, 2)) / np.sqrt(gamma)
    squares = beta * np.linalg.svd(first, compute_uv=False) ** 2
    weights = 1 / np.prod(squares + gamma, axis=1)
    return float(np.average((squares / (squares + gamma)).sum(axis=1), weights=weights))


def test_a_linear_network_has_the_coefficient_of_aoyagi_and_watanabe() -> None:
    """Sides 2, 2, 2 and rank 0: 3/2, where a regular model of 8 parameters has 4."""

    def product(position: Tensor) -> Tensor:
        first, second = position.view(-1, 2, 2, 2).unbind(dim=1)
        return 0.5 * (second @ first).square().sum(dim=(1, 2))

    how = settings(30.0, 3.0, 1e-3, 1500, 1800)
    found = coefficient_of(walk(product, 150, 8, how, "linear"), 30.0, 8)
    assert found.estimate.value == pytest.approx(linear_network(30.0, 3.0, 10**5), rel=0.05)
    assert linear_network(1e5, 1.0, 10**5) == pytest.approx(1.5, rel=0.05)


def test_errors_cover_the_closed_form() -> None:
    how = settings(localisation=20.0, step_size=4e-3, burn_in=200, steps=300)
    found = walk(bowl, 4 * 250, 5, how, "coverage")
    k = 50 * CURVATURES.numpy() + 20
    expected = 0.5 * (50 * CURVATURES.numpy() / (k * (1 - 4e-3 * k / 4))).sum()
    parts = [coefficient_of(Walk(e, v), 50.0, 5) for e, v in models(found, 250)]
    covered = np.mean(
        [abs(p.estimate.value - expected) <= 2 * p.estimate.standard_error for p in parts]
    )
    assert 0.89 <= covered <= 0.985


def models(found: Walk, number: int) -> list[tuple[np.ndarray, np.ndarray]]:
    return list(zip(np.split(found.excess, number), np.split(found.virial, number), strict=True))


def test_chains_that_have_not_arrived_are_not_converged() -> None:
    """After t steps a direction has 1 - (1 - epsilon k / 2)^(2 t) of its variance."""

    def flat(position: Tensor) -> Tensor:
        return 1e-3 * position.square().sum(dim=1)

    how = settings(10.0, 1.0, 1e-4, 0, 2000)
    found = coefficient_of(walk(flat, 4, 500, how, "early"), 10.0, 500)
    share = (1 - (1 - 1e-4 * 1.02 / 2) ** (2 * np.arange(2000))).mean()
    assert found.equipartition.value == pytest.approx(share, rel=0.1)
    assert not found.converged


def test_a_step_that_is_too_large_is_not_converged() -> None:
    how = settings(100.0, 1.0, 0.01, 1000, 1000)  # epsilon k / 4 up to 0.75
    found = coefficient_of(walk(bowl, 4, 5, how, "long steps"), 100.0, 5)
    assert found.equipartition.value > 1.1
    assert not found.converged


def test_chains_that_go_downhill_are_not_converged() -> None:
    def hill(position: Tensor) -> Tensor:
        return -0.5 * position.square().sum(dim=1)

    found = coefficient_of(walk(hill, 4, 5, settings(1.0, 5.0, 0.02), "hill"), 1.0, 5)
    assert found.estimate.value == pytest.approx(-0.5 * 5 / 4, rel=0.15)
    assert not found.converged


def test_chains_that_run_away_give_no_number_and_do_not_raise() -> None:
    how = settings(1000.0, 0.0, 1.0, 0, 300)
    found = coefficient_of(walk(bowl, 3, 5, how, "away"), 1000.0, 5)
    assert np.isnan(found.estimate.value)
    assert not found.converged


def test_without_a_step_kept_before_burn_in_the_first_excess_is_0() -> None:
    found = walk(bowl, 3, 5, settings(burn_in=0, steps=8), "first")
    assert (found.excess[:, 0] == 0).all()
    assert (found.virial[:, 0] == 0).all()
    assert found.excess.shape == found.virial.shape == (3, 8)


def test_burn_in_drops_the_first_steps_and_no_others() -> None:
    whole = walk(bowl, 3, 5, settings(burn_in=0, steps=20), "same")
    late = walk(bowl, 3, 5, settings(burn_in=12, steps=8), "same")
    np.testing.assert_array_equal(late.excess, whole.excess[:, 12:])

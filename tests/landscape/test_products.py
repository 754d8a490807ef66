"""Products with the Hessian are those of its closed form and of its dense matrix."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import oracles
from landscape import nets
from phasezoo.landscape.network import Network
from phasezoo.landscape.products import HessianProducts
from phasezoo.landscape.stack import Stack
from phasezoo.models.flat import Weights

PLENTY = 1 << 30


def products(
    network: Network, models: list[Weights], sample: nets.Sample, limit: int = PLENTY
) -> HessianProducts:
    return HessianProducts(Stack.of(network, models), *sample, limit)


def matrix(product: Callable[[Tensor], Tensor], models: int, size: int) -> Tensor:
    """The blocks [M, P, P] of an operator, column by column."""
    units = torch.eye(size, dtype=torch.float64)
    return torch.stack([product(unit.expand(models, size)) for unit in units], dim=2)


def test_softmax_regression_has_its_closed_form() -> None:
    features, classes = 5, 3
    inputs, labels = oracles.vector(17 * features, 1).reshape(17, -1), torch.arange(17) % classes
    network = Network(nn.Linear(features, classes).double(), nets.CPU)
    model = nets.weights(network, 2)
    found = matrix(products(network, [model], (inputs, labels)), 1, network.parameters.size)[0]

    theta = model.parameters
    weight, bias = theta[: features * classes].reshape(classes, features), theta[-classes:]
    p = (inputs @ weight.T + bias).softmax(1)
    fisher = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]  # [N, K, K]
    n = len(inputs)
    ww = torch.einsum("nij,na,nb->iajb", fisher, inputs, inputs) / n
    wb = torch.einsum("nij,na->iaj", fisher, inputs) / n
    side = features * classes
    top = torch.cat([ww.reshape(side, side), wb.reshape(side, classes)], dim=1)
    low = torch.cat([wb.reshape(side, classes).T, fisher.mean(0)], dim=1)
    torch.testing.assert_close(found, torch.cat([top, low]), rtol=1e-10, atol=1e-12)


class Quadratic(nn.Module):
    """Logits (x^T A x, 0) of the parameters x, whatever the inputs."""

    def __init__(self, form: Tensor) -> None:
        super().__init__()
        self.x = nn.Parameter(torch.zeros(len(form), dtype=form.dtype))
        self.form = form

    def forward(self, inputs: Tensor) -> Tensor:
        value = self.x @ self.form @ self.x
        return torch.stack([value, value * 0]).expand(len(inputs), 2)


def test_at_its_stationary_point_a_quadratic_form_has_its_matrix() -> None:
    form = oracles.symmetric(torch.linspace(-3, 2, 7).double().numpy(), 0)
    sample = (torch.zeros(3, 1), torch.zeros(3, dtype=torch.long))
    model = Weights(torch.zeros(7, dtype=torch.float64), nets.NOTHING)
    found = matrix(products(Network(Quadratic(form), nets.CPU), [model], sample), 1, 7)[0]
    # dL/dz = p - 1 = -1/2 of the first logit, d2z = 2 A, and dz = 0 there
    torch.testing.assert_close(found, -form)


@pytest.mark.parametrize("make", [nets.mlp, nets.smooth, nets.resnet])
def test_products_are_those_of_the_dense_hessian(
    make: Callable[[], tuple[Network, nets.Sample]],
) -> None:
    network, sample = make()
    model = nets.weights(network, 3)
    expected = nets.dense(network, model, sample)
    found = matrix(products(network, [model], sample), 1, len(expected))[0]
    assert torch.linalg.eigvalsh(expected)[0] < -1e-3  # indefinite, so that signs are tested
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-11)
    torch.testing.assert_close(found, found.T, rtol=1e-9, atol=1e-11)


def test_a_stack_has_the_products_of_its_models() -> None:
    network, sample = nets.mlp()
    models = [nets.weights(network, seed) for seed in range(5)]
    size = network.parameters.size
    found = matrix(products(network, models, sample), 5, size)
    for model, block in zip(models, found, strict=True):
        torch.testing.assert_close(block, nets.dense(network, model, sample), rtol=1e-9, atol=1e-11)


def test_a_model_that_is_not_finite_leaves_the_others_alone() -> None:
    network, sample = nets.mlp()
    models = [nets.weights(network, seed) for seed in range(3)]
    models[1].parameters[4] = torch.nan
    vectors = oracles.vector(3 * network.parameters.size, 9).reshape(3, -1)
    found = products(network, models, sample)(vectors)
    assert found[1].isnan().any()
    for row in (0, 2):
        expected = nets.dense(network, models[row], sample) @ vectors[row]
        torch.testing.assert_close(found[row], expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(("share", "kept"), [(0.0, 0), (0.4, 3), (0.9, 3), (1.0, 1)])
@pytest.mark.parametrize("make", [nets.mlp, nets.resnet])
def test_a_cut_sample_has_the_same_hessian(
    make: Callable[[], tuple[Network, nets.Sample]], share: float, kept: int
) -> None:
    network, sample = make()
    model = nets.weights(network, 3)
    whole = products(network, [model], sample).size.of(len(sample[1]))
    product = products(network, [model], sample, int(share * whole))
    assert product.cut.kept in (kept, 0)  # none, where the fixed part fills the quarter
    assert (product.cut.chunk == len(sample[1])) == (share == 1)
    vector = oracles.vector(network.parameters.size, 4)[None]
    expected = nets.dense(network, model, sample) @ vector[0]
    torch.testing.assert_close(product(vector)[0], expected, rtol=1e-9, atol=1e-11)


def test_a_product_is_the_change_of_the_gradient() -> None:
    network, sample = nets.mlp()
    theta, direction = (oracles.vector(network.parameters.size, seed) for seed in (6, 7))

    def gradient(v: Tensor) -> Tensor:
        v = v.clone().requires_grad_()
        loss = functional.cross_entropy(network.apply(v, nets.NOTHING, sample[0]), sample[1])
        return torch.autograd.grad(loss, v)[0]

    step = 1e-6
    change = (gradient(theta + step * direction) - gradient(theta - step * direction)) / (2 * step)
    found = products(network, [Weights(theta, nets.NOTHING)], sample)(direction[None])[0]
    torch.testing.assert_close(found, change, rtol=1e-5, atol=1e-7)  # central difference


def test_products_do_not_change_weights_or_each_other() -> None:
    network, sample = nets.mlp()
    model = nets.weights(network, 6)
    before = model.parameters.clone()
    product = products(network, [model], sample)
    first, second = (oracles.vector(len(before), seed)[None] for seed in (7, 8))
    once = product(first)
    product(second)
    assert torch.equal(product(first), once)
    assert torch.equal(model.parameters, before)
    assert not model.parameters.requires_grad
    assert not once.requires_grad
    torch.testing.assert_close(product(first - 2.5 * second), once - 2.5 * product(second))

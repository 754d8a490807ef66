"""Products with the Hessian are those of its closed form and of its dense matrix."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import oracles
from phasezoo.landscape.curvature import hessian_operator
from phasezoo.landscape.network import Network
from phasezoo.models.flat import Weights
from phasezoo.models.mlp import MLP
from phasezoo.models.small_resnet import SmallResNet

CPU = torch.device("cpu")
NOTHING = torch.empty(0)


def dense(operator: object, size: int) -> Tensor:
    """The matrix of an operator, column by column."""
    columns = [operator(unit) for unit in torch.eye(size, dtype=torch.float64)]  # type: ignore[operator]
    return torch.stack(columns, dim=1)


def sample(features: int, classes: int) -> tuple[Tensor, Tensor]:
    return oracles.vector(17 * features, 1).reshape(17, features), torch.arange(17) % classes


def test_softmax_regression_has_its_closed_form() -> None:
    features, classes = 5, 3
    inputs, labels = sample(features, classes)
    network = Network(nn.Linear(features, classes).double(), CPU)
    theta = oracles.vector(features * classes + classes, 2)
    found = dense(hessian_operator(network, Weights(theta, NOTHING), inputs, labels), len(theta))

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


def test_an_mlp_has_the_dense_hessian_of_its_formula() -> None:
    inputs, labels = sample(3, 2)
    network = Network(MLP((3,), 2, 5, 1).double(), CPU)
    theta = oracles.vector(3 * 5 + 5 + 5 * 2 + 2, 3)

    def loss(v: Tensor) -> Tensor:
        hidden = (inputs @ v[:15].reshape(5, 3).T + v[15:20]).relu()
        logits = hidden @ v[20:30].reshape(2, 5).T + v[30:]
        return (logits.logsumexp(1) - logits[range(17), labels]).mean()

    expected = torch.autograd.functional.hessian(loss, theta)
    found = dense(hessian_operator(network, Weights(theta, NOTHING), inputs, labels), len(theta))
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(found, found.T, rtol=1e-10, atol=1e-12)
    assert torch.linalg.eigvalsh(found)[0] < 0  # indefinite, so that signs are tested


def test_batch_norm_is_in_evaluation_mode() -> None:
    inputs, labels = oracles.vector(7 * 9, 1).reshape(7, 1, 3, 3), torch.arange(7) % 2
    module = SmallResNet((1, 3, 3), 2, 1, 1).double().eval()
    network = Network(module, CPU)
    theta = oracles.vector(network.parameters.size, 4)
    buffers = oracles.vector(network.buffers.size, 5).abs() + 0.5

    def loss(v: Tensor) -> Tensor:
        tensors = network.parameters.unflatten(v)
        statistics = {
            n: b.to(dict(module.named_buffers())[n].dtype)
            for n, b in network.buffers.unflatten(buffers).items()
        }
        logits = torch.func.functional_call(module, tensors | statistics, (inputs,))
        return functional.cross_entropy(logits, labels)

    expected = torch.autograd.functional.hessian(loss, theta)
    found = dense(hessian_operator(network, Weights(theta, buffers), inputs, labels), len(theta))
    assert expected.abs().max() > 1e-3
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


def test_a_product_is_the_change_of_the_gradient() -> None:
    inputs, labels = sample(3, 2)
    network = Network(MLP((3,), 2, 5, 1).double(), CPU)
    theta, direction = oracles.vector(32, 6), oracles.vector(32, 7)

    def gradient(v: Tensor) -> Tensor:
        v = v.clone().requires_grad_()
        (g,) = torch.autograd.grad(
            functional.cross_entropy(network.apply(v, NOTHING, inputs), labels), v
        )
        return g

    step = 1e-6
    change = (gradient(theta + step * direction) - gradient(theta - step * direction)) / (2 * step)
    found = hessian_operator(network, Weights(theta, NOTHING), inputs, labels)(direction)
    torch.testing.assert_close(found, change, rtol=1e-5, atol=1e-7)  # central difference


def test_products_do_not_change_weights_or_each_other() -> None:
    inputs, labels = sample(3, 2)
    network = Network(MLP((3,), 2, 5, 1).double(), CPU)
    theta = oracles.vector(32, 6)
    before = theta.clone()
    product = hessian_operator(network, Weights(theta, NOTHING), inputs, labels)
    first = product(oracles.vector(32, 7))
    product(oracles.vector(32, 8))
    assert torch.equal(product(oracles.vector(32, 7)), first)
    assert torch.equal(theta, before)
    assert not theta.requires_grad
    assert not first.requires_grad


@pytest.mark.parametrize("scale", [-2.0, 0.0, 3.5])
def test_products_are_linear(scale: float) -> None:
    inputs, labels = sample(3, 2)
    network = Network(MLP((3,), 2, 5, 1).double(), CPU)
    product = hessian_operator(network, Weights(oracles.vector(32, 6), NOTHING), inputs, labels)
    u, v = oracles.vector(32, 7), oracles.vector(32, 8)
    torch.testing.assert_close(product(u + scale * v), product(u) + scale * product(v))

"""Every network can be differentiated twice, called with other weights and stacked.

The landscape needs all three: Hessian products, flat vectors, many models at once.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import functional_call, grad, vmap

from models.every import Case, every
from phasezoo.models.flat import Weights, load_weights, parameter_layout, weights_of

Loss = Callable[[Tensor], Tensor]


def loss_of(case: Case) -> tuple[Loss, Tensor]:
    """A bent function of all outputs as a function of the flat parameters, and a place."""
    module, inputs = case.module(), case.inputs()
    layout = parameter_layout(module)
    outputs = module(inputs)
    weights = torch.linspace(0.5, 1.5, outputs.numel(), dtype=torch.float64).view_as(outputs)

    def loss(theta: Tensor) -> Tensor:
        found = functional_call(module, layout.unflatten(theta), (inputs,))
        return (weights * found.sin()).sum()

    return loss, torch.cat([p.detach().flatten() for p in module.parameters()])


def directions(size: int) -> Tensor:
    chance = torch.Generator().manual_seed(0)
    return torch.randn(2, size, dtype=torch.float64, generator=chance)


@every
def test_a_hessian_product_is_the_difference_of_gradients(case: Case) -> None:
    loss, theta = loss_of(case)
    direction = directions(len(theta))[0]
    place = theta.clone().requires_grad_()
    (slope,) = torch.autograd.grad(loss(place), place, create_graph=True)
    (product,) = torch.autograd.grad(slope, place, direction)
    step = 1e-8  # small enough that no unit crosses its kink
    difference = grad(loss)(theta + step * direction) - grad(loss)(theta - step * direction)
    assert product.norm() > 0
    assert (difference / (2 * step) - product).norm() < 1e-5 * product.norm()


@every
def test_hessian_products_are_symmetric(case: Case) -> None:
    loss, theta = loss_of(case)
    left, right = directions(len(theta))
    place = theta.clone().requires_grad_()
    (slope,) = torch.autograd.grad(loss(place), place, create_graph=True)
    products = [torch.autograd.grad(slope, place, v, retain_graph=True)[0] for v in (left, right)]
    scale = left.norm() * products[1].norm()
    assert (left @ products[1] - right @ products[0]).abs() < 1e-10 * scale


@every
def test_a_stack_of_two_models_is_each_alone(case: Case) -> None:
    loss, theta = loss_of(case)
    stack = torch.stack([theta, theta + 0.1 * directions(len(theta))[0]])
    assert not torch.allclose(loss(stack[0]), loss(stack[1]))
    for function in (loss, grad(loss)):
        alone = torch.stack([function(row) for row in stack])
        torch.testing.assert_close(vmap(function)(stack), alone, rtol=1e-9, atol=1e-9)


@every
def test_a_network_called_with_the_weights_of_another_is_the_other(case: Case) -> None:
    skeleton, other = case.module(0), case.module(1)
    inputs = case.inputs()
    tensors = dict(other.named_parameters()) | dict(other.named_buffers())
    found = functional_call(skeleton, tensors, (inputs,))
    torch.testing.assert_close(found, other(inputs), rtol=0, atol=0)
    assert not torch.allclose(found, skeleton(inputs))


@every
def test_weights_come_back_from_flat_vectors(case: Case) -> None:
    module, other = case.module(0).float(), case.module(1).float()
    weights: Weights = weights_of(module)
    load_weights(other, weights)
    assert all(
        torch.equal(a, b)
        for a, b in zip(module.state_dict().values(), other.state_dict().values(), strict=True)
    )

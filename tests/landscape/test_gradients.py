"""Gradients of many vectors are those of each alone, in a stack and in a loop."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from landscape.pairs import MLP, RESNET, TASK, network, trained, wide
from phasezoo.landscape.gradients import (
    CONVOLVE_FROM,
    STACK_FROM,
    STACK_TO,
    convolved_gradients,
    gradients_of,
    is_stackable,
    looped_gradients,
    stacked_gradients,
)
from phasezoo.landscape.network import Network

CHOSEN = torch.stack(
    [torch.randperm(53, generator=torch.Generator().manual_seed(i))[:7] for i in range(3)]
)


def doubled(architecture: object = MLP) -> tuple[Network, Tensor]:
    """A network in float64 and three vectors."""
    net = network(architecture)  # type: ignore[arg-type]
    net.module.double()
    vectors = [trained(seed, architecture).parameters for seed in range(3)]  # type: ignore[arg-type]
    return net, torch.stack(vectors).double()


def by_autograd(net: Network, vector: Tensor, chosen: Tensor) -> Tensor:
    task = wide(TASK)
    leaf = vector.clone().requires_grad_()
    tensors = dict(
        zip(
            [s.name for s in net.parameters.slots],
            leaf.split([s.size for s in net.parameters.slots]),
            strict=True,
        )
    )
    shaped = {s.name: tensors[s.name].reshape(s.shape) for s in net.parameters.slots}
    module = net.module.train()
    logits = torch.func.functional_call(module, shaped, (task.train_inputs[chosen],))
    net.module.eval()
    loss = -functional.log_softmax(logits, 1)[range(len(chosen)), task.train_labels[chosen]].mean()
    (found,) = torch.autograd.grad(loss, leaf)
    return found


@pytest.mark.parametrize("architecture", [MLP, RESNET], ids=lambda a: a.name)
def test_a_loop_gives_the_gradient_of_every_vector(architecture: object) -> None:
    net, vectors = doubled(architecture)
    found = looped_gradients(net, wide(TASK))(vectors, CHOSEN)
    for row in range(3):
        expected = by_autograd(net, vectors[row], CHOSEN[row])
        torch.testing.assert_close(found[row], expected, rtol=1e-10, atol=1e-13)


def test_a_stack_gives_the_gradients_of_a_loop() -> None:
    net, vectors = doubled()
    stacked = stacked_gradients(net, wide(TASK))(vectors, CHOSEN)
    looped = looped_gradients(net, wide(TASK))(vectors, CHOSEN)
    torch.testing.assert_close(stacked, looped, rtol=1e-10, atol=1e-13)
    assert not stacked.requires_grad
    assert not vectors.requires_grad


def test_a_vector_that_is_not_finite_leaves_the_others_as_they_are() -> None:
    net, vectors = doubled()
    alone = stacked_gradients(net, wide(TASK))(vectors, CHOSEN)
    vectors[1] = torch.nan
    for make in (stacked_gradients, looped_gradients):
        found = make(net, wide(TASK))(vectors, CHOSEN)
        assert found[1].isnan().any()
        torch.testing.assert_close(found[[0, 2]], alone[[0, 2]], rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("count", [3, STACK_TO + 1])
def test_narrow_convolutions_together_give_the_gradients_of_a_loop(count: int) -> None:
    net, few = doubled(RESNET)
    chance = torch.Generator().manual_seed(0)
    vectors = few[torch.randint(3, (count,), generator=chance)]
    vectors = vectors + 0.1 * torch.randn(vectors.shape, generator=chance, dtype=vectors.dtype)
    chosen = torch.stack([torch.randperm(53, generator=chance)[:7] for _ in range(count)])
    together = convolved_gradients(net, wide(TASK))(vectors, chosen)
    looped = looped_gradients(net, wide(TASK))(vectors, chosen)
    torch.testing.assert_close(together, looped, rtol=1e-9, atol=1e-12)
    assert not together.requires_grad
    assert not vectors.requires_grad


def way(net: Network, count: int) -> str:
    return gradients_of(net, TASK, count).__qualname__.split(".")[0]


def test_many_vectors_of_linear_layers_are_stacked() -> None:
    assert is_stackable(network())
    assert way(network(), STACK_FROM) == "_together"
    assert way(network(), STACK_FROM - 1) == "looped_gradients"


def test_convolutions_are_computed_together_where_they_are_narrow() -> None:
    broad = RESNET.model_copy(update={"width": 9})
    assert not is_stackable(network(RESNET))
    assert way(network(RESNET), CONVOLVE_FROM) == "convolved_gradients"
    assert way(network(RESNET), CONVOLVE_FROM - 1) == "looped_gradients"
    assert way(network(broad), CONVOLVE_FROM) == "looped_gradients"


def test_convolutions_on_a_gpu_are_those_of_its_library() -> None:
    net = network(RESNET)
    net.device = torch.device("cuda")  # it has none here, and none is used
    assert way(net, CONVOLVE_FROM) == "looped_gradients"


def test_the_network_is_left_as_it_was() -> None:
    net = network(RESNET)
    before = {name: tensor.clone() for name, tensor in net.module.state_dict().items()}
    vectors = torch.stack([trained(seed, RESNET).parameters for seed in range(3)])
    gradients_of(net, TASK, 3)(vectors, CHOSEN)
    assert not net.module.training
    assert all(torch.equal(before[name], t) for name, t in net.module.state_dict().items())


@pytest.mark.parametrize("at_once", [1, 3, 7, 11])
@pytest.mark.parametrize("count", [3, STACK_FROM])
def test_parts_of_a_batch_add_up_to_its_gradients(at_once: int, count: int) -> None:
    net, vectors = doubled()
    vectors = torch.cat([vectors, vectors])[:count]
    chosen = torch.cat([CHOSEN, CHOSEN])[:count]  # of 7 samples
    found = gradients_of(net, wide(TASK), count, at_once)(vectors, chosen)
    expected = gradients_of(net, wide(TASK), count)(vectors, chosen)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-13)

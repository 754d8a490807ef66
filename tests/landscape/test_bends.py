"""Bends are trained by the gradient of their formula, each with a chance of its own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from landscape.pairs import CPU, MLP, RESNET, TASK, network, options, trained, wide
from phasezoo import rng
from phasezoo.data.task import Task
from phasezoo.landscape.bends import slope, train_bends
from phasezoo.landscape.curve import barrier, bezier, line, profile
from phasezoo.landscape.network import Network
from phasezoo.spec.architecture import Mlp, SmallResNet


def ends_of(
    *pairs: tuple[int, int], architecture: Mlp | SmallResNet = MLP
) -> tuple[Tensor, Tensor]:
    sides = zip(*pairs, strict=True)
    first, second = (
        torch.stack([trained(seed, architecture).parameters for seed in side]) for side in sides
    )
    return first, second


def by_hand(
    net: Network, task: Task, ends: tuple[Tensor, Tensor], how: dict[str, float], rates: list[float]
) -> Tensor:
    """The training restated for one pair in float64, its gradient by autograd through the curve."""
    chance = rng.generator("bend")
    bend, momentum = (ends[0] + ends[1]) / 2, torch.zeros_like(ends[0])
    for rate in rates:
        order = torch.randperm(53, generator=chance)
        batches = [order[i : i + 11] for i in range(0, 53, 11)]
        times = torch.rand(len(batches), generator=chance).double()
        for t, chosen in zip(times, batches, strict=True):
            leaf = bend.clone().requires_grad_()
            theta = (1 - t) ** 2 * ends[0] + 2 * t * (1 - t) * leaf + t**2 * ends[1]
            logits = net.apply(theta, torch.empty(0), task.train_inputs[chosen])
            loss = functional.cross_entropy(logits, task.train_labels[chosen])
            loss = loss + 0.5 * how["weight_decay"] * theta.square().sum()
            (gradient,) = torch.autograd.grad(loss, leaf)
            momentum = how["momentum"] * momentum + gradient
            bend = bend - rate * momentum
    return bend


def test_training_is_that_of_its_formula() -> None:
    net, task = network(), wide(TASK)
    net.module.double()
    first, second = (end.double() for end in ends_of((0, 1)))
    how = {"learning_rate": 0.3, "momentum": 0.7, "weight_decay": 0.1}
    found = train_bends(
        net, task, (first, second), options(curve_epochs=4, **how), [rng.generator("bend")]
    )
    rates = [0.3, 0.3, 0.3, 0.3 * (1 - 0.25 / 0.4 * 0.99)]  # epochs 0, 1/4, 1/2 and 3/4
    expected = by_hand(net, task, (first[0], second[0]), how, rates)
    torch.testing.assert_close(found[0], expected, rtol=1e-9, atol=1e-11)


class Scalar(nn.Module):
    """Two logits, one of them 0, of one weight and an input that is always 1."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(1, 2, bias=False)

    def forward(self, inputs: Tensor) -> Tensor:
        logits: Tensor = self.head(inputs.flatten(1))
        return logits


def test_the_bend_of_two_weights_moves_as_its_closed_form_says() -> None:
    ones, zeros = torch.ones(5, 1, 1, 1).double(), torch.zeros(5).long()
    task = Task("scalar", ones, zeros, ones, zeros, 2)
    net = Network(Scalar().double(), CPU)
    first, second = torch.tensor([[-1.0, 0.5]]).double(), torch.tensor([[3.0, -0.5]]).double()
    how = options(curve_epochs=1, batch_size=5, learning_rate=0.5, weight_decay=0.2)
    found = train_bends(net, task, (first, second), how, [rng.generator("scalar")])
    chance = rng.generator("scalar")
    torch.randperm(5, generator=chance)
    t = torch.rand(1, generator=chance).double().item()
    a, b = (1 - t) * -1 + t * 3, (1 - t) * 0.5 + t * -0.5  # the line: the bend is its midpoint
    p = 1 / (1 + torch.exp(torch.tensor(b - a)).item())  # of class 0
    pull = torch.tensor([[p - 1 + 0.2 * a, 1 - p + 0.2 * b]]).double()
    torch.testing.assert_close(found, (first + second) / 2 - 0.5 * 2 * t * (1 - t) * pull)


def test_the_learning_rate_falls_after_half_and_rests_after_nine_tenths() -> None:
    found = [slope(share) for share in (0, 0.5, 0.7, 0.9, 0.99)]
    assert found == pytest.approx([1, 1, 0.505, 0.01, 0.01])


@pytest.mark.parametrize("architecture", [MLP, RESNET], ids=lambda a: a.name)
def test_a_pair_does_not_depend_on_what_it_is_stacked_with(architecture: Mlp | SmallResNet) -> None:
    pairs = [(0, 1), (0, 2), (1, 2), (1, 0), (2, 0), (2, 1), (0, 3)]
    net, how = network(architecture), options(curve_epochs=2)
    ends = ends_of(*pairs, architecture=architecture)
    chances = [rng.generator("bend", i) for i in range(7)]
    together = train_bends(net, TASK, ends, how, chances)
    alone = train_bends(net, TASK, (ends[0][2:3], ends[1][2:3]), how, [rng.generator("bend", 2)])
    torch.testing.assert_close(together[2:3], alone, rtol=1e-4, atol=1e-5)
    assert (together[0] - together[2]).abs().max() > 0.1


def test_bends_are_those_of_their_generators_and_leave_the_ends_alone() -> None:
    net, ends, how = network(), ends_of((0, 1), (0, 1), (0, 1)), options(curve_epochs=2)
    before = [end.clone() for end in ends]
    chances = [rng.generator(name) for name in ("bend", "bend", "other")]
    found = train_bends(net, TASK, ends, how, chances)
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
    assert all(torch.equal(a, b) for a, b in zip(ends, before, strict=True))
    assert not found.requires_grad


@pytest.mark.parametrize("architecture", [MLP, RESNET], ids=lambda a: a.name)
def test_a_trained_bend_goes_around_the_barrier_of_the_line(
    architecture: Mlp | SmallResNet,
) -> None:
    net, (first, second) = network(architecture), ends_of((0, 1), architecture=architecture)
    bend = train_bends(net, TASK, (first, second), options(), [rng.generator("bend")])
    straight = barrier(profile(net, TASK, line(first[0], second[0]), 21).train_loss)
    curved = barrier(profile(net, TASK, bezier(first[0], bend[0], second[0]), 21).train_loss)
    assert straight > 0.1
    assert curved < 0.5 * straight

"""How many models are one program: as set, as known, or as measured, and never beyond memory."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

import oracles
from phasezoo import rng
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import weights_of
from phasezoo.spec import architecture as spec
from phasezoo.spec.training import Constant, Optimisation
from phasezoo.training import choice
from phasezoo.training.choice import CLEARLY, Choice, StackError, choose, even, milliseconds
from phasezoo.training.fit import bytes_of, free_bytes
from phasezoo.training.member import Member
from phasezoo.training.population import train_population
from phasezoo.training.train import start

MLP = spec.Mlp(name="mlp", hidden_layers=2, width=5)
RESNET = spec.SmallResNet(name="small-resnet", stages=2, width=3)
TASK = oracles.blobs()
PLENTY = 2**40
LONG = 400  # epochs


def members(
    count: int, architecture: spec.Architecture = MLP, stack: object = "measured"
) -> list[Member]:
    how = oracles.optimisation(Constant(name="constant")).model_copy(update={"stack": stack})
    found = []
    for seed in range(count):
        module = build(architecture, TASK.shape, TASK.classes)
        initialise(module, rng.generator("choice", seed))
        found.append(Member(("choice", str(seed)), TASK, how, start(module)))
    return found


def chosen(
    some: Sequence[Member],
    architecture: spec.Architecture = MLP,
    last: int = LONG,
    memory: int = PLENTY,
) -> Choice:
    return choose(build(architecture, TASK.shape, TASK.classes), some, last, memory)


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> dict[int, float]:
    """Times of a step and model by the number of models, in the place of measured ones."""
    times: dict[int, float] = {}
    monkeypatch.setattr(choice, "milliseconds", lambda module, some, last: times[len(some)])
    return times


@pytest.mark.parametrize(("stack", "together"), [("one", 1), (1, 1), (4, 4), (100, 9)])
def test_what_is_set_is_taken_and_nothing_is_measured(
    stack: object, together: int, timed: dict[int, float]
) -> None:
    found = chosen(members(9, stack=stack))
    assert (found.together, found.milliseconds) == (together, {})


def test_few_models_and_few_steps_are_not_measured(timed: dict[int, float]) -> None:
    """So the zoos that train a few seeds at a time keep their bits."""
    assert chosen(members(5)).together == 1
    assert chosen(members(5, RESNET), RESNET).together == 1
    assert chosen(members(9), last=39).together == 1  # 39 epochs of 5 steps
    assert chosen(members(1)).together == 1


@pytest.mark.parametrize(
    ("times", "together"),
    [
        ({1: 1.0, 14: 0.5, 7: 0.6}, 14),
        ({1: 1.0, 14: 0.6, 7: 0.5}, 7),
        ({1: 1.0, 14: 1.01 / CLEARLY, 7: 1.0}, 1),
        ({1: 1.0, 14: 0.99 / CLEARLY, 7: 1.0}, 14),
    ],
)
def test_the_fastest_is_taken_if_it_is_clearly_so(
    times: dict[int, float], together: int, timed: dict[int, float]
) -> None:
    timed |= times
    found = chosen(members(14))
    assert found.together == together
    assert found.milliseconds == {n: round(ms, 4) for n, ms in times.items()}
    assert found.reason == "measured"
    assert "1: 1.000" in str(found)


def test_no_more_than_fit_are_together(timed: dict[int, float]) -> None:
    some = members(20)
    of_one = bytes_of(build(MLP, TASK.shape, TASK.classes), some[0])
    timed |= {1: 1.0, 7: 0.1}
    assert chosen(some, memory=7 * of_one).together == 7  # 3 groups: 7, 7, 6
    assert chosen(some, memory=5 * of_one).together == 1
    with pytest.raises(StackError, match=r"stack: got 9, allowed is at most 7 of these"):
        chosen(members(20, stack=9), memory=7 * of_one)


def test_groups_are_of_about_one_size() -> None:
    assert [even(20, most) for most in (1, 6, 7, 13, 19, 20, 0)] == [1, 5, 7, 10, 10, 20, 0]


@pytest.mark.parametrize("count", [1, 7])
@pytest.mark.parametrize("architecture", [MLP, RESNET], ids=lambda a: a.name)
def test_a_measurement_leaves_no_trace(architecture: spec.Architecture, count: int) -> None:
    module = build(architecture, TASK.shape, TASK.classes)
    some = members(count, architecture)
    before, stream = weights_of(module), torch.get_rng_state()
    origin = some[0].origin.weights.parameters.clone()
    assert 0 < milliseconds(module, some, LONG) < 1e4
    after = weights_of(module)
    assert torch.equal(before.parameters, after.parameters)
    assert torch.equal(before.buffers, after.buffers)
    assert torch.equal(some[0].origin.weights.parameters, origin)
    assert torch.equal(torch.get_rng_state(), stream)
    assert not module.training


def test_a_measured_population_is_the_one_that_is_set(timed: dict[int, float]) -> None:
    timed |= {1: 1.0, 6: 0.5}
    made = []
    for stack in ("measured", 6):
        module = build(MLP, TASK.shape, TASK.classes)
        made.append(train_population(module, members(6, stack=stack), (40,)))
    assert [trained.choices[0].together for trained in made] == [6, 6]
    for a, b in zip(*(trained.checkpoints for trained in made), strict=True):
        assert torch.equal(a[0].weights.parameters, b[0].weights.parameters)


def test_memory_grows_with_what_a_model_needs() -> None:
    def size(width: int, **how: object) -> int:
        architecture = spec.Mlp(name="mlp", hidden_layers=2, width=width)
        (one,) = members(1, architecture)
        given = Optimisation.model_validate(one.optimisation.model_dump() | how)
        module = build(architecture, TASK.shape, TASK.classes)
        return bytes_of(module, Member(one.names, one.task, given, one.origin))

    parameters = 4 * (16 * 500 + 501 * 500 + 501 * 3)
    assert size(500) > 6 * parameters
    assert size(500, batch_size=53) > size(500)
    assert size(500, batch_size=53, at_once=11) == size(500)
    assert free_bytes(torch.device("cpu")) > 2**20

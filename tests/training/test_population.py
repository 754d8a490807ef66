"""A population is its members, each trained by itself: together they differ by rounding only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

import oracles
from models.every import Case, every
from phasezoo import rng
from phasezoo.data.objective import NextToken
from phasezoo.data.physics import physics, targets_of
from phasezoo.data.task import Task
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import load_weights
from phasezoo.spec import architecture as spec
from phasezoo.spec.training import (
    AdamW,
    Augmentation,
    Constant,
    Lbfgs,
    Optimisation,
    Optimiser,
    Sgd,
)
from phasezoo.training.checkpoint import Checkpoint
from phasezoo.training.member import Member
from phasezoo.training.population import train_population
from phasezoo.training.train import start, train
from phasezoo.vocabulary import Status

MLP = spec.Mlp(name="mlp", hidden_layers=2, width=5)
RESNET = spec.SmallResNet(name="small-resnet", stages=2, width=3)
TASK = oracles.blobs()  # 53 samples, so the last batch of 11 is short
LAST = 3


def adamw(learning_rate: float, weight_decay: float) -> AdamW:
    return AdamW(
        name="adamw",
        learning_rate=learning_rate,
        momentum=0.9,
        second_moment=0.99,
        epsilon=1e-8,
        weight_decay=weight_decay,
    )


def sgd(learning_rate: float, weight_decay: float) -> Sgd:
    return oracles.sgd(learning_rate, weight_decay=weight_decay)


def nesterov(learning_rate: float, weight_decay: float) -> Sgd:
    return oracles.sgd(learning_rate, weight_decay=weight_decay, nesterov=True)


def how(optimiser: Optimiser, **other: object) -> Optimisation:
    given = Optimisation(optimiser=optimiser, schedule=oracles.onecycle(LAST), batch_size=11)
    return given.model_copy(update={"stack": 7, **other})


def wide(task: Task) -> Task:
    inputs = task.train_inputs
    return replace(task, train_inputs=inputs.double()) if inputs.is_floating_point() else task


WIDE = wide(TASK)


def member(
    architecture: spec.Architecture, task: Task, seed: int, given: Optimisation, name: str = "p"
) -> Member:
    module = build(architecture, task.shape, task.classes)
    initialise(module, rng.generator(name, seed, "init"))
    return Member((name, f"seed={seed}"), task, given, start(module, given.optimiser.moments))


def population(
    architecture: spec.Architecture,
    members: Sequence[Member],
    epochs: tuple[int, ...] = (LAST,),
    dtype: torch.dtype = torch.float64,
) -> list[list[Checkpoint]]:
    task = members[0].task
    module = build(architecture, task.shape, task.classes).to(dtype)
    return train_population(module, members, epochs).checkpoints


def alone(
    architecture: spec.Architecture,
    one: Member,
    epochs: tuple[int, ...] = (LAST,),
    dtype: torch.dtype = torch.float64,
) -> list[Checkpoint]:
    module = build(architecture, one.task.shape, one.task.classes)
    load_weights(module, one.origin.weights).to(dtype)
    return list(train(module, one.task, one.optimisation, one.names, one.origin, epochs))


def assert_close(found: Checkpoint, expected: Checkpoint, tolerance: float) -> None:
    """Weights, statistics and moments; all within a tolerance of the largest."""
    assert (found.epoch, found.status) == (expected.epoch, expected.status)
    for a, b in (
        (found.weights.parameters, expected.weights.parameters),
        (found.weights.buffers, expected.weights.buffers),
        (found.state, expected.state),
    ):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        scale = max(1.0, b.abs().max().item()) if b.numel() else 1.0
        torch.testing.assert_close(a, b, rtol=0, atol=tolerance * scale, equal_nan=True)


# checkpoints are float32 whatever is computed in, so that the last place of one may differ
EXACT = 2e-7


def task_of(case: Case) -> Task:
    """A few samples for an architecture, in float64."""
    name, chance = case.architecture.name, rng.generator("task", case.architecture.name)
    if name == "gpt-2":
        tokens = torch.randint(case.outputs, (17, case.shape[0] + 1), generator=chance)
        objective = NextToken(case.shape[0], case.outputs)
        inputs, labels = tokens[:, :-1], tokens[:, 1:]
        return Task("text", inputs, labels, inputs, labels, case.outputs, objective)
    if name == "pinn":
        return _equation(3.0)
    if case.architecture.takes == "labelled text":
        inputs, labels = case.inputs(17), torch.arange(17) % case.outputs
        return Task("labelled", inputs, labels, inputs, labels, case.outputs)
    given = oracles.blobs(train=17, test=5, shape=case.shape, classes=case.outputs)
    return wide(given)


def _equation(beta: float, name: str = "convection") -> Task:
    chance = rng.generator("rows")
    points = torch.rand(17, 4, dtype=torch.float64, generator=chance)
    asked = torch.eye(4, dtype=torch.float64)[torch.arange(17) % (4 if name == "wave" else 3)]
    if name == "wave":
        asked = torch.eye(4, dtype=torch.float64)[torch.tensor([0, 1, 3])[torch.arange(17) % 3]]
    rows, objective = torch.cat([points, asked], dim=1), physics(name, beta)
    labels = targets_of(objective, rows)
    return Task(name, rows, labels, rows, labels, 1, objective)


@every
@pytest.mark.parametrize("kind", [sgd, adamw])
def test_together_is_one_after_the_other(case: Case, kind: type) -> None:
    """Every architecture, with rates and decays of each member's own, in float64.

    Few steps and small ones: norms over a few numbers multiply rounding.
    """
    task = task_of(case)
    rates = ((2e-3, 0.0), (4e-4, 0.03), (1e-3, 0.1))
    members = [
        member(case.architecture, task, seed, how(kind(*rate), batch_size=9))
        for seed, rate in enumerate(rates)
    ]
    together = population(case.architecture, members, (0, 1, 2))
    for found, one in zip(together, members, strict=True):
        expected = alone(case.architecture, one, (0, 1, 2))
        assert [c.epoch for c in found] == [0, 1, 2]
        assert [c.state.numel() for c in found[:-1]] == [0, 0]
        for a, b in zip(found[:-1], expected[:-1], strict=True):
            torch.testing.assert_close(
                a.weights.parameters, b.weights.parameters, rtol=0, atol=EXACT
            )
        assert_close(found[-1], expected[-1], EXACT)
        assert not torch.equal(found[-1].weights.parameters, one.origin.weights.parameters)


@pytest.mark.parametrize("architecture", [MLP, RESNET], ids=lambda a: a.name)
@pytest.mark.parametrize("kind", [sgd, nesterov, adamw])
def test_in_float32_it_is_so_to_rounding(architecture: spec.Architecture, kind: type) -> None:
    """After 3 epochs of 5 steps, relative to the largest weight."""
    members = [member(architecture, TASK, seed, how(kind(0.02, 0.01))) for seed in range(5)]
    together = population(architecture, members, dtype=torch.float32)
    for found, one in zip(together, members, strict=True):
        (expected,) = alone(architecture, one, dtype=torch.float32)
        assert_close(found[-1], expected, 2e-5)


def test_one_after_the_other_is_plain_training_to_the_bit() -> None:
    given = how(sgd(0.1, 5e-4), stack="one")
    members = [member(RESNET, TASK, seed, given) for seed in range(3)]
    for found, one in zip(
        population(RESNET, members, (1, LAST), torch.float32), members, strict=True
    ):
        for a, b in zip(found, alone(RESNET, one, (1, LAST), torch.float32), strict=True):
            assert torch.equal(a.weights.parameters, b.weights.parameters)
            assert torch.equal(a.weights.buffers, b.weights.buffers)
        assert torch.equal(found[-1].state, b.state)


@pytest.mark.parametrize("architecture", [MLP, RESNET], ids=lambda a: a.name)
def test_a_member_does_not_depend_on_its_company_or_its_place(
    architecture: spec.Architecture,
) -> None:
    members = [
        member(architecture, WIDE, seed, how(sgd(0.01 * (seed + 1), 0.0))) for seed in range(5)
    ]
    whole = population(architecture, members)
    chosen = [3, 0, 4]
    part = population(architecture, [members[i] for i in chosen])
    for found, i in zip(part, chosen, strict=True):
        assert_close(found[-1], whole[i][-1], EXACT)


def test_members_of_several_kinds_find_their_own_kind() -> None:
    """Batch sizes and optimisers differ; the order of the answers is that of the members."""
    kinds = [
        how(sgd(0.1, 0.0)),
        how(adamw(0.01, 0.0)),
        how(sgd(0.05, 0.01)),
        how(sgd(0.1, 0.0), batch_size=53),
        how(adamw(0.02, 0.1)),
        how(sgd(0.1, 0.0), batch_size="full"),
    ]
    members = [member(MLP, WIDE, seed, kind) for seed, kind in enumerate(kinds)]
    for found, one in zip(population(MLP, members), members, strict=True):
        assert_close(found[-1], alone(MLP, one)[0], EXACT)


@pytest.mark.parametrize("kind", [sgd, adamw])
def test_resumed_is_uninterrupted(kind: type) -> None:
    """To the bit: the state of a checkpoint is all there is."""
    members = [member(RESNET, TASK, seed, how(kind(0.02, 0.01))) for seed in range(3)]
    whole = population(RESNET, members, (0, 1, LAST), torch.float32)
    first = population(RESNET, members, (0, 1), torch.float32)
    onward = [replace(m, origin=kept[-1]) for m, kept in zip(members, first, strict=True)]
    then = population(RESNET, onward, (2, LAST), torch.float32)
    for a, b in zip(whole, then, strict=True):
        assert [c.epoch for c in b] == [2, LAST]
        assert torch.equal(a[-1].weights.parameters, b[-1].weights.parameters)
        assert torch.equal(a[-1].weights.buffers, b[-1].weights.buffers)
        assert torch.equal(a[-1].state, b[-1].state)


@pytest.mark.parametrize("architecture", [MLP, RESNET], ids=lambda a: a.name)
def test_one_that_diverges_leaves_the_others(architecture: spec.Architecture) -> None:
    rates = (0.05, 1e25, 0.02)
    members = [member(architecture, WIDE, i, how(sgd(rate, 0.0))) for i, rate in enumerate(rates)]
    found = population(architecture, members, (0, 1, LAST))
    assert [c.status for c in found[1]] == [Status.TRAINED, Status.DIVERGED, Status.DIVERGED]
    assert all(c.weights.parameters.isnan().all() for c in found[1][1:])
    assert all(c.weights.buffers.isnan().all() for c in found[1][1:])
    for i in (0, 2):
        assert_close(found[i][-1], alone(architecture, members[i])[0], EXACT)
        assert found[i][-1].status is Status.TRAINED


def test_one_that_had_diverged_stays_so_and_all_may_be_dead() -> None:
    dead = [member(MLP, WIDE, seed, how(sgd(1e25, 0.0))) for seed in range(2)]
    ended = [kept[-1] for kept in population(MLP, dead, (1,))]
    onward = [replace(m, origin=kept) for m, kept in zip(dead, ended, strict=True)]
    alive = replace(member(MLP, WIDE, 5, how(sgd(0.05, 0.0))), origin=ended[0])
    for found in population(MLP, [*onward, alive], (2, 3)):
        assert [(c.epoch, c.status) for c in found] == [
            (2, Status.DIVERGED),
            (3, Status.DIVERGED),
        ]


@pytest.mark.parametrize("at_once", [1, 4, 11, 100])
def test_parts_of_a_batch_are_accumulated_and_the_schedule_counts_batches(at_once: int) -> None:
    """With the rates of the whole batch, however many parts it has."""
    members = [member(MLP, WIDE, seed, how(sgd(0.05, 0.01), at_once=at_once)) for seed in range(3)]
    for found, one in zip(population(MLP, members), members, strict=True):
        whole = replace(one, optimisation=how(sgd(0.05, 0.01)))
        assert_close(found[-1], alone(MLP, whole)[0], EXACT)


def test_parts_are_normalised_by_themselves() -> None:
    """As in a single training: statistics move once for each part."""
    given = how(sgd(0.05, 0.01), at_once=4)
    members = [member(RESNET, WIDE, seed, given) for seed in range(3)]
    for found, one in zip(population(RESNET, members), members, strict=True):
        assert_close(found[-1], alone(RESNET, one)[0], EXACT)


@pytest.mark.parametrize("batch_size", [11, "full"])
def test_each_member_is_augmented_by_its_own_names(batch_size: int | str) -> None:
    images = wide(oracles.blobs(shape=(2, 7, 7)))
    task = replace(images, black=torch.tensor([-3.0, 2.0], dtype=torch.float64))
    turned = Augmentation(crop=2, flip=True, rotation=20.0)
    given = how(sgd(0.05, 0.0), augmentation=turned, batch_size=batch_size)
    members = [member(RESNET, task, seed, given) for seed in range(3)]
    for found, one in zip(population(RESNET, members, (LAST,)), members, strict=True):
        assert_close(found[-1], alone(RESNET, one)[0], EXACT)
        plain = replace(one, optimisation=how(sgd(0.05, 0.0), batch_size=batch_size))
        (other,) = alone(RESNET, plain)
        assert not torch.allclose(found[-1].weights.parameters, other.weights.parameters, atol=1e-4)


@pytest.mark.parametrize("equation", ["convection", "reaction", "wave"])
def test_equations_of_one_population_may_have_their_own_coefficients(equation: str) -> None:
    net = spec.Pinn(name="pinn", hidden_layers=2, width=7)
    given = how(adamw(0.01, 0.0), batch_size="full", schedule=Constant(name="constant"))
    first = _equation(1.0, equation)
    tasks = [
        replace(_equation(beta, equation), train_inputs=first.train_inputs)
        for beta in (1.0, 5.0, 3.0)
    ]
    members = [member(net, task, seed, given) for seed, task in enumerate(tasks)]
    for found, one in zip(population(net, members, (0, 300)), members, strict=True):
        assert_close(found[-1], alone(net, one, (300,))[0], 1e-6)


def searching(rate: float, **other: object) -> Optimisation:
    tolerances = {"tolerance_grad": 1e-9, "tolerance_change": 1e-12}
    optimiser = Lbfgs(name="lbfgs", learning_rate=rate, history=3, **tolerances)
    whole = {"batch_size": "full", "schedule": Constant(name="constant")}
    given = how(sgd(rate, 0.0), **whole, **other)
    return given.model_copy(update={"optimiser": optimiser})


@pytest.mark.parametrize("at_once", [None, 17])
@pytest.mark.parametrize("architecture", [MLP, RESNET], ids=lambda a: a.name)
def test_line_searches_of_a_stack_are_each_models_own(
    architecture: spec.Architecture, at_once: int | None
) -> None:
    """Steps of their own length: some of them end a search while others are still in theirs."""
    rates = (1.0, 0.05, 5.0)
    given = [searching(rate, at_once=at_once) for rate in rates]
    members = [member(architecture, WIDE, seed, one) for seed, one in enumerate(given)]
    found = population(architecture, members, (0, 2, 9))
    for kept, one in zip(found, members, strict=True):
        expected = alone(architecture, one, (0, 2, 9))
        for a, b in zip(kept, expected, strict=True):
            torch.testing.assert_close(
                a.weights.parameters, b.weights.parameters, rtol=1e-6, atol=1e-6
            )
    moved = [(kept[-1].weights.parameters - kept[0].weights.parameters).norm() for kept in found]
    assert min(moved) > 0.1


def test_line_searches_are_resumed_to_the_bit() -> None:
    members = [member(MLP, TASK, seed, searching(1.0)) for seed in range(3)]
    whole = population(MLP, members, (0, 5, 11), torch.float32)
    first = population(MLP, members, (0, 5), torch.float32)
    onward = [replace(m, origin=kept[-1]) for m, kept in zip(members, first, strict=True)]
    for a, b in zip(whole, population(MLP, onward, (11,), torch.float32), strict=True):
        assert torch.equal(a[-1].weights.parameters, b[-1].weights.parameters)
        assert torch.equal(a[-1].state, b[-1].state)


def test_a_line_search_from_nowhere_leaves_the_others() -> None:
    members = [member(MLP, WIDE, seed, searching(1.0)) for seed in range(3)]
    weights = members[1].origin.weights
    lost = replace(weights, parameters=torch.full_like(weights.parameters, torch.inf))
    members[1] = replace(members[1], origin=replace(members[1].origin, weights=lost))
    found = population(MLP, members, (6,))
    assert [kept[-1].status for kept in found] == [
        Status.TRAINED, Status.DIVERGED, Status.TRAINED,
    ]  # fmt: skip
    for i in (0, 2):
        expected = alone(MLP, members[i], (6,))[0]
        torch.testing.assert_close(
            found[i][-1].weights.parameters, expected.weights.parameters, rtol=1e-6, atol=1e-6
        )


def test_a_batch_size_that_is_not_set_is_refused() -> None:
    given = how(sgd(0.1, 0.0)).model_copy(update={"batch_size": None})
    with pytest.raises(ValueError, match="batch_size: got None"):
        population(MLP, [member(MLP, WIDE, 0, given)])


def _weights(found: list[list[Checkpoint]]) -> Tensor:
    return torch.stack([kept[-1].weights.parameters for kept in found])


@pytest.mark.parametrize("stack", ["one", 3])
def test_bfloat16_is_close_and_not_the_same(stack: str | int) -> None:
    def run(precision: str) -> Tensor:
        given = how(sgd(0.02, 0.0), precision=precision, stack=stack)
        members = [member(RESNET, TASK, seed, given) for seed in range(3)]
        return _weights(population(RESNET, members, dtype=torch.float32))

    plain, rounded = run("float32"), run("bf16")
    assert rounded.dtype == torch.float32
    assert torch.equal(run("tf32"), plain)  # which a CPU does not know
    distance = (rounded - plain).norm() / plain.norm()
    assert 1e-5 < distance < 2e-2


def test_the_module_is_left_in_evaluation_mode() -> None:
    module: nn.Module = build(RESNET, TASK.shape, TASK.classes)
    members = [member(RESNET, TASK, seed, how(sgd(0.02, 0.0))) for seed in range(3)]
    train_population(module, members, (1,))
    assert not any(part.training for part in module.modules())

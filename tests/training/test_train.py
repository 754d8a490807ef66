"""Training is plain SGD, can be interrupted anywhere, and records divergence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import oracles
from phasezoo import rng
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import load_weights, parameter_layout, weights_of
from phasezoo.spec import architecture as spec
from phasezoo.spec.training import Constant, Cosine, Optimisation
from phasezoo.training.train import Checkpoint, start, steps_per_epoch, train
from phasezoo.vocabulary import Status

NAMES = ("zoo", "width=5", "batch_size=11", "seed=0")
TASK = oracles.blobs()
MLP = spec.Mlp(name="mlp", hidden_layers=2, width=5)
RESNET = spec.SmallResNet(name="small-resnet", stages=2, width=3)
NESTEROV = oracles.sgd(nesterov=True)
PLAIN = oracles.sgd(momentum=0.0, weight_decay=0.0)

CASES = [
    pytest.param(MLP, oracles.optimisation(oracles.onecycle(5)), id="mlp, onecycle"),
    pytest.param(RESNET, oracles.optimisation(oracles.onecycle(5)), id="resnet, onecycle"),
    pytest.param(
        MLP, oracles.optimisation(Constant(name="constant"), optimiser=PLAIN), id="mlp, no momentum"
    ),
    pytest.param(
        MLP,
        oracles.optimisation(Cosine(name="cosine", epochs=3, eta_min=0.0), optimiser=NESTEROV),
        id="mlp, nesterov past the horizon",
    ),
]


def fresh(architecture: spec.Architecture) -> nn.Module:
    module = build(architecture, TASK.shape, TASK.classes)
    initialise(module, rng.generator(*NAMES, "init"))
    return module


def trained(
    architecture: spec.Architecture,
    how: Optimisation,
    *epochs: int,
    origin: Checkpoint | None = None,
) -> list[Checkpoint]:
    module = fresh(architecture)
    if origin:
        load_weights(module, origin.weights)
    return list(train(module, TASK, how, NAMES, origin or start(module), epochs))


def same(first: Checkpoint, second: Checkpoint) -> bool:
    """Equal to the bit, NaN included."""
    pairs = [
        (first.weights.parameters, second.weights.parameters),
        (first.weights.buffers, second.weights.buffers),
        (first.momentum, second.momentum),
    ]
    bits = all(torch.equal(a.view(torch.int32), b.view(torch.int32)) for a, b in pairs)
    return bits and (first.epoch, first.status) == (second.epoch, second.status)


def scheduler_of(
    how: Optimisation, optimiser: torch.optim.SGD, steps: int
) -> Callable[[int], None]:
    """torch's scheduler, stepped after every batch until its horizon."""
    schedule = how.schedule
    if isinstance(schedule, Constant):
        return lambda step: None
    horizon = schedule.epochs * steps
    if isinstance(schedule, Cosine):
        found = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, horizon, schedule.eta_min)
    else:
        options = schedule.model_dump(exclude={"name", "epochs"})
        found = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.1, total_steps=horizon, **options)
    return lambda step: found.step() if step < horizon else None


def plain_loop(architecture: spec.Architecture, how: Optimisation, epochs: int) -> nn.Module:
    """The same training as anybody would write it."""
    module = fresh(architecture).train()
    settings = how.optimiser
    optimiser = torch.optim.SGD(
        module.parameters(),
        lr=0.1,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay or 0.0,
        nesterov=settings.nesterov,
    )
    advance, step = scheduler_of(how, optimiser, steps=5), 0
    for epoch in range(1, epochs + 1):
        chance = torch.Generator().manual_seed(rng.seed_of(*NAMES, "order", epoch))
        order = torch.randperm(53, generator=chance)
        for position in range(0, 53, 11):
            batch = order[position : position + 11]
            optimiser.zero_grad()
            loss = functional.cross_entropy(
                module(TASK.train_inputs[batch]), TASK.train_labels[batch]
            )
            loss.backward()
            optimiser.step()
            step += 1
            advance(step)
    return module


@pytest.mark.parametrize(("architecture", "how"), CASES)
def test_training_is_a_plain_loop_to_the_bit(
    architecture: spec.Architecture, how: Optimisation
) -> None:
    (found,) = trained(architecture, how, 5)
    expected = weights_of(plain_loop(architecture, how, 5))
    assert torch.equal(found.weights.parameters, expected.parameters)
    assert torch.equal(found.weights.buffers, expected.buffers)


@pytest.mark.parametrize(("architecture", "how"), CASES)
def test_resumed_training_is_uninterrupted_training_to_the_bit(
    architecture: spec.Architecture, how: Optimisation
) -> None:
    whole = trained(architecture, how, 0, 2, 3, 5)
    first = trained(architecture, how, 0, 2)
    then = trained(architecture, how, 3, 5, origin=first[-1])
    assert [c.epoch for c in whole] == [0, 2, 3, 5]
    assert all(same(a, b) for a, b in zip(whole, [*first, *then], strict=True))


def test_two_runs_are_equal_and_do_not_depend_on_the_global_stream() -> None:
    how = oracles.optimisation(oracles.onecycle(5))
    first = trained(RESNET, how, 3)[0]
    torch.manual_seed(99)
    assert same(first, trained(RESNET, how, 3)[0])


def test_another_model_sees_another_order() -> None:
    how = oracles.optimisation(oracles.onecycle(5))
    first = next(train(m := fresh(MLP), TASK, how, NAMES, start(m), (1,)))
    other = next(train(m := fresh(MLP), TASK, how, (*NAMES[:-1], "seed=1"), start(m), (1,)))
    assert not torch.equal(first.weights.parameters, other.weights.parameters)


def test_a_checkpoint_more_changes_no_other() -> None:
    how = oracles.optimisation(oracles.onecycle(5))
    assert same(trained(MLP, how, 4)[-1], trained(MLP, how, 0, 1, 2, 3, 4)[-1])


def test_epoch_0_is_the_initial_weights() -> None:
    how = oracles.optimisation(oracles.onecycle(5))
    first = trained(RESNET, how, 0, 1)[0]
    expected = weights_of(fresh(RESNET))
    assert torch.equal(first.weights.parameters, expected.parameters)
    assert torch.equal(first.weights.buffers, expected.buffers)
    assert not first.momentum.any()


def test_a_checkpoint_does_not_follow_the_training() -> None:
    module = fresh(MLP)
    how = oracles.optimisation(oracles.onecycle(5))
    run = train(module, TASK, how, NAMES, start(module), (1, 2))
    first = next(run)
    before = first.weights.parameters.clone()
    second = next(run)
    assert torch.equal(first.weights.parameters, before)
    assert not torch.equal(second.weights.parameters, before)


def test_the_momentum_is_the_running_sum_of_gradients() -> None:
    how = oracles.optimisation(
        Constant(name="constant"), batch_size=53, optimiser=oracles.sgd(weight_decay=0.0)
    )
    module = fresh(MLP)
    first, second = trained(MLP, how, 1, 2)

    def gradient(weights: Tensor) -> Tensor:
        for p, value in zip(
            module.parameters(), parameter_layout(module).unflatten(weights).values(), strict=True
        ):
            p.data.copy_(value)
        loss = functional.cross_entropy(module(TASK.train_inputs), TASK.train_labels)
        return torch.cat(
            [g.reshape(-1) for g in torch.autograd.grad(loss, list(module.parameters()))]
        )

    expected = 0.9 * first.momentum + gradient(first.weights.parameters)
    # the order of the whole-set batch differs, hence rounding
    torch.testing.assert_close(second.momentum, expected, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(
        second.weights.parameters,
        first.weights.parameters - 0.1 * second.momentum,
        rtol=1e-6,
        atol=1e-7,
    )


def test_training_lowers_the_loss_and_reports_every_epoch() -> None:
    seen: list[tuple[int, float]] = []
    module = fresh(MLP)
    how = oracles.optimisation(oracles.onecycle(11))
    list(train(module, TASK, how, NAMES, start(module), (11,), lambda *line: seen.append(line)))
    assert [epoch for epoch, _ in seen] == list(range(1, 12))
    assert seen[-1][1] < 0.2 * seen[0][1]


DIVERGING = oracles.optimisation(
    Constant(name="constant"), optimiser=oracles.sgd(learning_rate=1e20)
)


@pytest.mark.parametrize("architecture", [MLP, RESNET], ids=lambda a: a.name)
def test_divergence_is_recorded_and_not_raised(architecture: spec.Architecture) -> None:
    found = trained(architecture, DIVERGING, 0, 3, 5)
    assert [c.epoch for c in found] == [0, 3, 5]
    assert [c.status for c in found] == [Status.TRAINED, Status.DIVERGED, Status.DIVERGED]
    for checkpoint in found[1:]:
        assert checkpoint.weights.parameters.isnan().all()
        assert checkpoint.weights.buffers.isnan().all()


def test_a_last_step_into_the_infinite_is_divergence() -> None:
    # the loss before the only step of the epoch is finite, what the step leaves is not
    far = oracles.sgd(learning_rate=3e38, weight_decay=1e3)
    how = oracles.optimisation(Constant(name="constant"), batch_size=53, optimiser=far)
    seen: list[float] = []
    module = fresh(MLP)
    (last,) = train(module, TASK, how, NAMES, start(module), (1,), lambda _, x: seen.append(x))
    assert 0 < seen[0] < 10
    assert last.status is Status.DIVERGED
    assert last.weights.parameters.isnan().all()


def test_a_diverged_model_is_not_trained_on() -> None:
    seen: list[int] = []
    origin = trained(MLP, DIVERGING, 3)[-1]
    module = load_weights(fresh(MLP), origin.weights)
    how = oracles.optimisation(oracles.onecycle(5))
    found = list(
        train(module, TASK, how, NAMES, origin, (4, 5), lambda epoch, _: seen.append(epoch))
    )
    assert [(c.epoch, c.status) for c in found] == [(4, Status.DIVERGED), (5, Status.DIVERGED)]
    assert seen == []


def test_a_short_last_batch_is_a_batch() -> None:
    assert [steps_per_epoch(n, 11) for n in (1, 11, 12, 53)] == [1, 1, 2, 5]


def test_a_batch_larger_than_the_set_is_the_set() -> None:
    how = oracles.optimisation(Constant(name="constant"), batch_size=53)
    larger = how.model_copy(update={"batch_size": 59})
    assert same(trained(MLP, how, 2)[0], trained(MLP, larger, 2)[0])


def test_an_unset_batch_size_is_refused() -> None:
    how = oracles.optimisation(Constant(name="constant")).model_copy(update={"batch_size": None})
    with pytest.raises(ValueError, match="batch_size: got None"):
        trained(MLP, how, 1)


def test_the_module_is_left_in_evaluation_mode() -> None:
    module = fresh(RESNET)
    how = oracles.optimisation(oracles.onecycle(5))
    (last,) = train(module, TASK, how, NAMES, start(module), (2,))
    assert not any(part.training for part in module.modules())
    assert torch.equal(weights_of(module).parameters, last.weights.parameters)


def test_other_labels_give_another_model() -> None:
    how = oracles.optimisation(oracles.onecycle(5))
    turned = replace(TASK, train_labels=TASK.train_labels.roll(1))
    found = next(train(m := fresh(MLP), turned, how, NAMES, start(m), (1,)))
    assert not same(found, trained(MLP, how, 1)[0])


def test_a_part_of_a_batch_is_normalised_by_itself() -> None:
    """Running statistics move twice for a batch, and the gradient is another than that of all."""
    how = oracles.optimisation(Constant(name="constant"), optimiser=PLAIN, batch_size=53)
    (whole,) = trained(RESNET, how, 1)
    (parts,) = trained(RESNET, how.model_copy(update={"at_once": 27}), 1)
    module = fresh(RESNET).train()
    order = torch.randperm(53, generator=rng.generator(*NAMES, "order", 1))
    inputs, labels = TASK.train_inputs[order], TASK.train_labels[order]
    for some, wanted in zip(inputs.split(27), labels.split(27), strict=True):
        (functional.cross_entropy(module(some), wanted) * (len(wanted) / 53)).backward()
    with torch.no_grad():
        for parameter in module.parameters():
            assert parameter.grad is not None
            parameter -= 0.1 * parameter.grad
    expected = weights_of(module)
    torch.testing.assert_close(parts.weights.parameters, expected.parameters)
    torch.testing.assert_close(parts.weights.buffers, expected.buffers)
    assert not torch.allclose(whole.weights.parameters, expected.parameters, atol=1e-4)

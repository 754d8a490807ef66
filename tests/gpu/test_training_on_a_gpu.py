"""A training on a GPU, captured or not, alone or in company, is the training on the CPU."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

import oracles
from models.every import Case, every
from phasezoo.data.task import Task
from phasezoo.models.build import build
from phasezoo.spec import architecture as spec
from phasezoo.spec.training import Augmentation, Constant, Lbfgs, Optimisation
from phasezoo.training.capture import Replays
from phasezoo.training.checkpoint import Checkpoint
from phasezoo.training.member import Member
from phasezoo.training.population import train_population
from training.test_population import (
    EXACT,
    LAST,
    MLP,
    RESNET,
    TASK,
    WIDE,
    adamw,
    alone,
    assert_close,
    how,
    member,
    sgd,
    task_of,
    wide,
)


def moved(task: Task, device: torch.device) -> Task:
    tensors = ("train_inputs", "train_labels", "test_inputs", "test_labels", "black")
    return replace(task, **{name: getattr(task, name).to(device) for name in tensors})


def trained(
    architecture: spec.Architecture,
    members: Sequence[Member],
    epochs: tuple[int, ...],
    dtype: torch.dtype = torch.float64,
) -> list[list[Checkpoint]]:
    """Every step captured: a step that cannot be is an error here."""
    task = members[0].task
    module = build(architecture, task.shape, task.classes).to(dtype)
    module = module.to(task.train_inputs.device)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return train_population(module, members, epochs).checkpoints


@every
@pytest.mark.parametrize("stack", ["one", 3])
def test_every_architecture(case: Case, stack: str | int, gpu: torch.device) -> None:
    """In float64; statistics, moments and the last, shorter batch included."""
    task = task_of(case)
    rates = ((2e-3, 0.0), (4e-4, 0.03), (1e-3, 0.1))
    there = [
        member(case.architecture, task, seed, how(adamw(*rate), batch_size=9, stack=stack))
        for seed, rate in enumerate(rates)
    ]
    here = [replace(one, task=moved(task, gpu)) for one in there]
    for found, one in zip(trained(case.architecture, here, (0, 1, 2)), there, strict=True):
        expected = alone(case.architecture, one, (0, 1, 2))
        assert_close(found[-1], expected[-1], EXACT)
        assert not torch.equal(found[-1].weights.parameters, one.origin.weights.parameters)


@every
def test_twice_is_the_same_to_the_bit(case: Case, gpu: torch.device) -> None:
    """In float32, as zoos are trained, by deterministic kernels."""
    task = moved(_narrow(task_of(case)), gpu)
    members = [
        member(case.architecture, task, seed, how(adamw(2e-3, 0.01), batch_size=9))
        for seed in range(2)
    ]
    first, again = (trained(case.architecture, members, (2,), torch.float32) for _ in range(2))
    for a, b in zip(first, again, strict=True):
        assert torch.equal(a[-1].weights.parameters, b[-1].weights.parameters)
        assert torch.equal(a[-1].weights.buffers, b[-1].weights.buffers)


def _narrow(task: Task) -> Task:
    def single(tensor: Tensor) -> Tensor:
        return tensor.float() if tensor.is_floating_point() else tensor

    names = ("train_inputs", "train_labels", "test_inputs", "test_labels")
    return replace(task, **{name: single(getattr(task, name)) for name in names})


def test_a_step_is_replayed(gpu: torch.device) -> None:
    """Captured once; a replay reads what lies in the buffers then."""
    state, rate = torch.ones(7, device=gpu), torch.ones((), device=gpu)

    def step() -> None:
        state.add_(rate)

    replay = Replays([state]).of(step)
    assert state.tolist() == [1.0] * 7
    assert replay is not step
    replay()
    rate.fill_(3.0)
    replay()
    assert state.tolist() == [5.0] * 7


def test_what_cannot_be_captured_is_run_as_it_is(gpu: torch.device) -> None:
    state = torch.ones(3, device=gpu)

    def step() -> None:
        state.mul_(2.0 if state.sum().item() > 0 else 1.0)  # waits for the GPU

    with pytest.warns(UserWarning, match="uncaptured"):
        run = Replays([state]).of(step)
    run()
    assert state.tolist() == [2.0] * 3


@pytest.mark.parametrize("architecture", [MLP, RESNET], ids=lambda a: a.name)
@pytest.mark.parametrize("kind", [sgd, adamw])
def test_parts_of_batches(architecture: spec.Architecture, kind: type, gpu: torch.device) -> None:
    given = how(kind(0.02, 0.01), at_once=4)
    there = [member(architecture, WIDE, seed, given) for seed in range(3)]
    here = [replace(one, task=moved(WIDE, gpu)) for one in there]
    for found, one in zip(trained(architecture, here, (LAST,)), there, strict=True):
        assert_close(found[-1], alone(architecture, one)[0], EXACT)


def test_images_are_augmented_as_on_the_cpu(gpu: torch.device) -> None:
    images = wide(oracles.blobs(shape=(2, 7, 7)))
    task = replace(images, black=torch.tensor([-3.0, 2.0], dtype=torch.float64))
    given = how(sgd(0.05, 0.0), augmentation=Augmentation(crop=2, flip=True, rotation=20.0))
    there = [member(RESNET, task, seed, given) for seed in range(3)]
    here = [replace(one, task=moved(task, gpu)) for one in there]
    for found, one in zip(trained(RESNET, here, (LAST,)), there, strict=True):
        assert_close(found[-1], alone(RESNET, one)[0], EXACT)


@pytest.mark.parametrize("models", [1, 3])
def test_line_searches(models: int, gpu: torch.device) -> None:
    optimiser = Lbfgs(
        name="lbfgs", learning_rate=1.0, history=3, tolerance_grad=1e-9, tolerance_change=1e-12
    )
    given = how(sgd(1.0, 0.0), batch_size="full", schedule=Constant(name="constant"))
    given = given.model_copy(update={"optimiser": optimiser})
    there = [member(MLP, WIDE, seed, given) for seed in range(models)]
    here = [replace(one, task=moved(WIDE, gpu)) for one in there]
    for found, one in zip(trained(MLP, here, (7,)), there, strict=True):
        assert_close(found[-1], alone(MLP, one, (7,))[0], 1e-6)


@pytest.mark.parametrize(("precision", "tolerance"), [("tf32", 1e-2), ("bf16", 5e-2)])
def test_a_rougher_precision_is_near_the_fine_one(
    precision: str, tolerance: float, gpu: torch.device
) -> None:
    """Not equal, or it was not used; weights after 3 epochs, relative to the largest."""
    task, wider = moved(TASK, gpu), MLP.model_copy(update={"width": 64})
    fine, rough = (
        trained(wider, [_of(wider, task, precise)], (LAST,), torch.float32)[0][-1].weights
        for precise in ("float32", precision)
    )
    far = (fine.parameters - rough.parameters).abs().max() / fine.parameters.abs().max()
    assert 0 < far < tolerance


def _of(architecture: spec.Architecture, task: Task, precision: str) -> Member:
    given: Optimisation = how(sgd(0.02, 0.0), precision=precision)
    return member(architecture, task, 0, given)


def test_a_measured_choice_leaves_the_weights_alone(gpu: torch.device) -> None:
    """What is together and what is not differs by rounding only."""
    given = how(sgd(0.02, 0.01), stack="measured", schedule=Constant(name="constant"))
    there = [member(MLP, WIDE, seed, given) for seed in range(5)]
    here = [replace(one, task=moved(WIDE, gpu)) for one in there]
    for found, one in zip(trained(MLP, here, (50,)), there, strict=True):
        assert_close(found[-1], alone(MLP, one, (50,))[0], 1e-6)

"""Equations, their solutions, and what is asked of a network about them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from phasezoo import rng
from phasezoo.data.equation import EQUATIONS, Equation
from phasezoo.data.labelled import labelled
from phasezoo.data.physics import Ask, Physics, targets_of
from phasezoo.data.task import Task, task_from
from phasezoo.models.build import build, initialise
from phasezoo.spec.architecture import Pinn
from phasezoo.spec.equation import EquationPoints
from phasezoo.training.evaluate import evaluate_both

COEFFICIENTS = {"convection": 7.3, "reaction": 5.1, "wave": 3.0}
CPU = torch.device("cpu")
ALL = pytest.mark.parametrize("name", COEFFICIENTS)


def task_of(name: str, coefficient: float | None = None) -> Task:
    spec = EquationPoints(
        source=name,
        recipe=1,
        coefficient=coefficient or COEFFICIENTS[name],
        interior=101,
        boundary=13,
        grid=(31, 17),
        split_seed=0,
    )
    task = task_from(labelled(spec), name, CPU)
    rows = task.train_inputs.double(), task.test_inputs.double()
    assert isinstance(task.objective, Physics)
    return replace(
        task,
        train_inputs=rows[0],
        test_inputs=rows[1],
        train_labels=targets_of(task.objective, rows[0]),
        test_labels=targets_of(task.objective, rows[1]),
    )


def equation_of(name: str) -> Equation:
    return EQUATIONS[name](COEFFICIENTS[name])


def network() -> nn.Module:
    module = build(Pinn(name="pinn", hidden_layers=2, width=7), (2,), 1).double()
    initialise(module, rng.generator("physics"))
    return module


def points() -> Tensor:
    return torch.rand(29, 2, generator=rng.generator("points"), dtype=torch.float64)


@ALL
def test_the_solution_solves_the_equation(name: str) -> None:
    equation = equation_of(name)
    u, residual = equation.residual(equation.solution, points())
    torch.testing.assert_close(u, equation.solution(points()))
    assert residual.abs().max() < 1e-10 * COEFFICIENTS[name] ** 2


@ALL
def test_the_solution_has_no_loss_and_no_error(name: str) -> None:
    task = task_of(name)
    outputs = task.objective.outputs(equation_of(name).solution, task.train_inputs)
    assert task.objective.loss(outputs, task.train_labels) < 1e-10  # rows were float32
    wrong, of = task.objective.terms(outputs, task.train_labels)[:, 1:].sum(dim=0)
    assert task.objective.error(wrong, of) < 1e-10


@ALL
def test_residuals_are_those_of_torchs_reverse_mode(name: str) -> None:
    module, equation = network(), equation_of(name)
    x, t = points().T
    x, t = x.clone().requires_grad_(), t.clone().requires_grad_()
    u = module(torch.stack([x, t], dim=1))[:, 0]
    u_x, u_t = torch.autograd.grad(u.sum(), (x, t), create_graph=True)
    beta = COEFFICIENTS[name]
    match name:
        case "convection":
            expected = u_t + beta * u_x
        case "reaction":
            expected = u_t - beta * u * (1 - u)
        case "wave":
            (u_xx,) = torch.autograd.grad(u_x.sum(), x, retain_graph=True)
            (u_tt,) = torch.autograd.grad(u_t.sum(), t)
            expected = u_tt - 4 * u_xx
    found = equation.residual(module, points())[1][:, 0]
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-11)


def mean_square(values: Tensor) -> Tensor:
    return values.square().mean()


def test_the_loss_of_convection_is_the_sum_of_three_mean_squares() -> None:
    """As in the code of Krishnapriyan et al. 2021: start, ends and equation, each a mean."""
    task, module, beta = task_of("convection"), network(), COEFFICIENTS["convection"]
    rows = task.train_inputs
    inside, start, ends = (rows[rows[:, 4 + ask] == 1] for ask in (Ask.EQUATION, Ask.VALUE, 2))
    assert (len(inside), len(start), len(ends)) == (101, 31, 13)
    at = inside[:, :2].clone().requires_grad_()
    (slopes,) = torch.autograd.grad(module(at).sum(), at, create_graph=True)
    expected = (
        mean_square(module(start[:, :2])[:, 0] - torch.sin(start[:, 0]))
        + mean_square(module(ends[:, :2]) - module(ends[:, 2:4]))
        + mean_square(slopes[:, 1] + beta * slopes[:, 0])
    )
    found = task.objective.loss(task.objective.outputs(module, rows), task.train_labels)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=0)


def test_the_error_is_the_relative_distance_from_the_solution() -> None:
    task, module = task_of("convection"), network()
    _, test = evaluate_both(lambda rows: task.objective.outputs(module, rows), task)
    inside = task.test_inputs[task.test_inputs[:, 4] == 1][:, :2]
    truth = torch.sin(inside[:, 0] - COEFFICIENTS["convection"] * inside[:, 1])
    expected = (module(inside)[:, 0] - truth).norm() / truth.norm()
    assert test.error == pytest.approx(expected.item(), rel=1e-9)


def test_nothing_is_an_error_of_one() -> None:
    task = task_of("convection")
    _, test = evaluate_both(
        lambda rows: task.objective.outputs(lambda at: at[:, :1] * 0, rows), task
    )
    assert test.error == pytest.approx(1, rel=1e-12)


def test_the_load_sets_the_coefficient() -> None:
    one, other = task_of("convection", 3.0), task_of("convection", 11.0)
    moved = one.at("beta", 11.0)
    torch.testing.assert_close(moved.train_labels, other.train_labels)
    assert moved.objective == other.objective
    assert one.at("width", 11) is one


@ALL
def test_ends_of_a_domain_are_asked_for(name: str) -> None:
    task, length = task_of(name), equation_of(name).length
    rows = task.train_inputs
    ask = rows[:, 4:].argmax(dim=1)
    if name == "wave":
        at_rest = rows[ask == Ask.VELOCITY]
        assert len(at_rest) == 31
        assert not at_rest[:, 1].any()
        assert set(rows[(ask == Ask.VALUE) & (rows[:, 1] > 0)][:, 0].tolist()) == {0.0, length}
    else:
        ends = rows[ask == Ask.PERIODIC]
        assert not ends[:, 0].any()
        assert ends[:, 2].tolist() == pytest.approx([length] * 13)
        assert torch.equal(ends[:, 1], ends[:, 3])


def test_training_points_lie_within_the_held_out_grid_and_are_drawn_by_name() -> None:
    spec = EquationPoints(
        source="convection", recipe=1, coefficient=None, interior=17, boundary=5, grid=(11, 7),
        split_seed=0,
    )  # fmt: skip
    first, again = labelled(spec), labelled(spec)
    assert first.identical(again)
    other = labelled(spec.model_copy(update={"split_seed": 1}))
    assert not first.identical(other)
    inside = first.where((first.ask == Ask.EQUATION) & (first.split == 0), drop=True)
    assert len(set(zip(inside.x.values, inside.t.values, strict=True))) == 17
    assert (inside.t > 0).all()
    assert int(((first.ask == Ask.EQUATION) & (first.split == 1)).sum()) == 10 * 6
    assert spec.training_samples == int((first.split == 0).sum())


@ALL
def test_points_name_the_study_that_their_equation_is_of(name: str) -> None:
    coefficient = COEFFICIENTS[name]
    spec = EquationPoints(
        source=name, recipe=1, coefficient=coefficient, interior=5, boundary=2, grid=(5, 5),
        split_seed=0,
    )  # fmt: skip
    wanted = "2007.14527" if name == "wave" else "2109.01050"
    assert wanted in labelled(spec).attrs["references"]


def test_a_wave_starts_from_both_modes() -> None:
    at = torch.tensor([[0.25, 0.0]], dtype=torch.float64)
    expected = math.sin(math.pi / 4) + math.sin(3 * math.pi / 4) / 2
    assert equation_of("wave").solution(at).item() == pytest.approx(expected, rel=1e-12)

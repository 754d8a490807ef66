"""Landscape metrics of networks that are no classifiers: the losses are those of their task."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.autograd.functional import hessian

from data.test_physics import task_of
from landscape.test_similarity import cka_of, debiased_of
from phasezoo import rng
from phasezoo.data.objective import Function, NextToken
from phasezoo.data.task import Task
from phasezoo.landscape.curvature import curvature
from phasezoo.landscape.gauss_newton import is_linear_between_kinks
from phasezoo.landscape.gradient_noise import gradient_products
from phasezoo.landscape.gradients import looped_gradients, stacked_gradients
from phasezoo.landscape.network import Network
from phasezoo.landscape.scores import scores_of
from phasezoo.landscape.similarity import compare
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import Weights, weights_of
from phasezoo.spec.architecture import Architecture, Gpt2, Pinn
from phasezoo.spec.metrics import Hessian, Similarity
from phasezoo.training.evaluate import evaluate_both

CPU = torch.device("cpu")
PINN = Pinn(name="pinn", hidden_layers=1, width=5)
GPT = Gpt2(name="gpt-2", depth=1, heads=2, model_dim=4)


def text() -> Task:
    """Windows of five positions over seven symbols."""
    tokens = torch.randint(7, (23, 6), generator=rng.generator("windows"))
    inputs, targets = tokens[:, :-1], tokens[:, 1:]
    return Task("text", inputs[:13], targets[:13], inputs[13:], targets[13:], 7, NextToken(5, 7))


TASKS: dict[str, tuple[Task, Architecture]] = {
    "physics": (task_of("convection"), PINN),
    "wave": (task_of("wave"), PINN),
    "text": (text(), GPT),
}
EACH = pytest.mark.parametrize("name", TASKS)


def made(name: str, count: int = 2) -> tuple[Network, Task, list[Weights]]:
    task, architecture = TASKS[name]
    models = []
    for seed in range(count):
        module = build(architecture, task.shape, task.classes)
        initialise(module, rng.generator(name, seed))
        models.append(weights_of(module))
    network = Network(build(architecture, task.shape, task.classes).double(), CPU, task.objective)
    wide = [Weights(m.parameters.double(), m.buffers.double()) for m in models]
    return network, task, wide


def loss_of(network: Network, task: Task, parameters: Tensor, buffers: Tensor) -> Tensor:
    outputs = network.apply(parameters, buffers, task.train_inputs)
    return task.objective.loss(outputs, task.train_labels)


@EACH
def test_eigenvalues_and_trace_are_those_of_the_dense_hessian(name: str) -> None:
    network, task, (model, _) = made(name)
    # reverse over reverse: torch's forward mode through layer norm is wrong by a per cent
    dense = hessian(lambda p: loss_of(network, task, p, model.buffers), model.parameters)
    values = torch.linalg.eigvalsh(dense)
    options = Hessian(
        epochs=(1,), sets=("train",), samples=1, eigenvalues=2, iterations=60, tolerance=1e-8,
        trace_error=0.01, probes=4000,
    )  # fmt: skip
    (found,) = curvature(
        network, [model], task.train_inputs, task.train_labels, options, [rng.generator("hessian")]
    )
    np.testing.assert_allclose(found.eigenvalues, values.flip(0)[:2], rtol=1e-6)
    assert abs(found.trace.value - dense.trace().item()) <= 4 * found.trace.standard_error
    assert not is_linear_between_kinks(network, task.train_inputs)


@EACH
def test_stacked_gradients_are_those_of_each_model(name: str) -> None:
    network, task, models = made(name, 3)
    vectors = torch.stack([model.parameters for model in models])
    drawn = (rng.generator("batch", i) for i in range(3))
    chosen = torch.stack([torch.randperm(11, generator=chance) for chance in drawn])
    found = stacked_gradients(network, task)(vectors, chosen)
    torch.testing.assert_close(looped_gradients(network, task)(vectors, chosen), found)
    for row, model, batch in zip(found, models, chosen, strict=True):
        some = replace(
            task, train_inputs=task.train_inputs[batch], train_labels=task.train_labels[batch]
        )
        leaf = model.parameters.clone().requires_grad_()
        (expected,) = torch.autograd.grad(loss_of(network, some, leaf, model.buffers), leaf)
        torch.testing.assert_close(row, expected)


@EACH
def test_scores_of_a_stack_are_those_of_each_model(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, task, models = made(name)
    if name == "text":  # its chunk is its own, not that of the class
        monkeypatch.setattr(task.objective, "chunk", 5)
    monkeypatch.setattr(task.objective.__class__, "chunk", 7, raising=False)
    assert task.objective.chunk < len(task.test_labels)
    found = scores_of(network, task, torch.stack([model.parameters for model in models]))
    for row, model in zip(found, models, strict=True):
        train, test = evaluate_both(network.function(model), task)
        np.testing.assert_allclose(row, [train.loss, train.error, test.loss, test.error], rtol=1e-9)


def test_one_chunk_of_outputs_is_held_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Logits of every token of a corpus fit into no memory."""
    network, task, models = made("text")
    monkeypatch.setattr(task.objective, "chunk", 3)
    said: list[str] = []
    put_out, judge = task.objective.outputs, task.objective.terms

    def outputs(function: Function, inputs: Tensor) -> Tensor:
        said.append("put out")
        return put_out(function, inputs)

    def terms(outputs: Tensor, targets: Tensor) -> Tensor:
        said.append("judged")
        return judge(outputs, targets)

    monkeypatch.setattr(task.objective, "outputs", outputs)
    monkeypatch.setattr(task.objective, "terms", terms)
    scores_of(network, task, torch.stack([model.parameters for model in models]))
    assert said == ["put out", "judged"] * (5 + 4)


def test_more_logits_than_positions_are_compared_as_they_are() -> None:
    network, task, models = made("text")
    some = task.test_inputs[:1]  # five positions, seven logits
    found = compare(network, models, [(0, 1)], some, Similarity(epochs=(1,), samples=4))
    first, second = (network.features(model, some).numpy() for model in models)
    assert first.shape == (5, 7)
    assert found.cka[0] == pytest.approx(cka_of(first, second), rel=1e-9)
    assert found.cka_debiased[0] == pytest.approx(debiased_of(first, second), rel=1e-9)
    assert found.disagreement[0] == (first.argmax(1) != second.argmax(1)).mean()


@EACH
def test_gradients_of_samples_add_up_to_the_gradient(name: str) -> None:
    network, task, (model, _) = made(name)
    squares, along = gradient_products(network, model, task.train_inputs, task.train_labels)
    leaf = model.parameters.clone().requires_grad_()
    (whole,) = torch.autograd.grad(loss_of(network, task, leaf, model.buffers), leaf)
    assert along.mean() == pytest.approx(whole.square().sum().item(), rel=1e-9)
    assert (squares > 0).all()


@EACH
def test_models_are_compared_by_their_answers(name: str) -> None:
    network, task, models = made(name)
    options = Similarity(epochs=(1,), samples=9)
    found = compare(network, [*models, models[0]], [(0, 1), (0, 2)], task.test_inputs, options)
    assert found.cka[1] == pytest.approx(1)
    assert 0 <= found.cka[0] < 1
    if name == "text":
        assert found.disagreement[1] == 0
    else:
        assert np.isnan(found.disagreement).all()  # of a number there are no classes

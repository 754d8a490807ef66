"""Zoos that classify nothing go through every step with the loss and the error of their task."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
import yaml
from torch import Tensor, nn
from torch.nn import functional

from phasezoo import load_model, open_zoo, rng
from phasezoo.data.task import Task
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import Weights, load_weights
from phasezoo.spec.jobs import at_load, at_temperature
from phasezoo.spec.metrics import Transfer
from phasezoo.store import measurements
from phasezoo.store.dataset import read_task
from phasezoo.store.weights import Block
from phasezoo.training.train import start, train
from phasezoo.transfer.fine_tune import transfer
from steps.tiny import Tiny

CPU = torch.device("cpu")
PINN, GPT = "small-pinn", "small-gpt"
GIVEN = yaml.safe_load((Path(__file__).parent / "other.yaml").read_text(encoding="utf-8"))
CELLS = [(PINN, 1, 0.003), (PINN, 2.5, 0.03), (GPT, 4, 7), (GPT, 6, 13)]
EACH = pytest.mark.parametrize(("zoo", "load", "heat"), CELLS)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    tiny = Tiny(tmp_path_factory.mktemp("other"), GIVEN)
    for zoo in (PINN, GPT):
        tiny.make(zoo)
    return tiny


def task_of(made: Tiny, zoo: str) -> Task:
    """As it is stored: of an equation, without the coefficient that the load sets."""
    return read_task(made.root / f"data/{made.zoo(zoo).dataset}.json", CPU)


def block(made: Tiny, zoo: str, load: float, heat: float, segment: str) -> Block:
    spec = made.zoo(zoo)
    cell = f"{spec.load.meaning.label(load)}/{spec.temperature.meaning.label(heat)}"
    return Block(made.root / f"runs/{zoo}/{cell}/0+1/{segment}.zarr")


def module_of(made: Tiny, zoo: str, load: float, weights: Weights) -> nn.Module:
    task = task_of(made, zoo)
    return load_weights(build(at_load(made.zoo(zoo), load), task.shape, task.classes), weights)


def result(made: Tiny, zoo: str, group: str, load: float, heat: float) -> xr.Dataset:
    found = measurements.read(made.root / f"results/{zoo}/{group}.nc")
    return found.sel(load=load, temperature=heat)


@torch.no_grad()
def distance(module: nn.Module, rows: Tensor, beta: float) -> float:
    """|u - sin(x - beta t)| / |sin(x - beta t)| over the points inside, in numpy."""
    inside = rows[rows[:, 4] == 1][:, :2]
    u, (x, t) = module(inside)[:, 0].double().numpy(), inside.double().numpy().T
    truth = np.sin(x - beta * t)
    return float(np.linalg.norm(u - truth) / np.linalg.norm(truth))


@torch.no_grad()
def tokens_wrong(module: nn.Module, task: Task) -> tuple[float, float]:
    """Mean cross-entropy of the test tokens and the share of them that is not the likeliest."""
    logits = module(task.test_inputs).double().flatten(0, 1)
    wanted = task.test_labels.flatten()
    wrong = (logits.argmax(dim=1) != wanted).double().mean()
    return functional.cross_entropy(logits, wanted).item(), wrong.item()


@EACH
def test_two_segments_are_one_uninterrupted_training(
    made: Tiny, zoo: str, load: float, heat: float
) -> None:
    """Both moments of AdamW go through the store."""
    spec = made.zoo(zoo)
    task = task_of(made, zoo).at(spec.load.hyperparameter, load)
    how = at_temperature(spec, heat)
    for position, seed in enumerate((0, 1)):
        names = (
            zoo,
            f"{spec.load.hyperparameter}={spec.load.meaning.label(load)}",
            f"{spec.temperature.hyperparameter}={spec.temperature.meaning.label(heat)}",
            f"seed={seed}",
        )
        module = build(at_load(spec, load), task.shape, task.classes)
        initialise(module, rng.generator(*names, "init"))
        for wanted in train(module, task, how, names, start(module, 2), (0, 2, 5, 7)):
            segment = "0+2" if wanted.epoch < 5 else "5+7"
            stored = block(made, zoo, load, heat, segment)
            found = stored.weights(position, wanted.epoch)
            assert torch.equal(found.parameters, wanted.weights.parameters)
            if wanted.epoch in (2, 7):
                assert torch.equal(stored.last(position).state, wanted.state)


@EACH
def test_errors_are_those_of_the_task(made: Tiny, zoo: str, load: float, heat: float) -> None:
    found, task = result(made, zoo, "metrics", load, heat), task_of(made, zoo)
    for seed in (0, 1):
        weights = block(made, zoo, load, heat, "5+7").weights(seed, 7)
        module, at = module_of(made, zoo, load, weights), found.sel(seed=seed, epoch=7)
        if zoo == PINN:
            for part in ("train", "test"):
                wanted = distance(module, getattr(task, f"{part}_inputs"), load)
                assert at[f"{part}_error"].item() == pytest.approx(wanted, rel=1e-5)
        else:
            loss, wrong = tokens_wrong(module, task)
            assert at["test_loss"].item() == pytest.approx(loss, rel=1e-6)
            assert at["test_error"].item() == pytest.approx(wrong, rel=1e-6)
        assert at["collapsed"].item() == 0
    assert np.isfinite(found["mode_connectivity"].sel(epoch=7)).all()
    assert np.isfinite(found["hessian_trace"].sel(epoch=7)).all()
    assert ((found["cka"].sel(epoch=7) > 0) & (found["cka"].sel(epoch=7) <= 1)).all()


@pytest.mark.parametrize(("load", "heat"), [(1, 0.003), (2.5, 0.03)])
def test_merged_networks_of_an_equation_are_judged_by_it(
    made: Tiny, load: float, heat: float
) -> None:
    found, task = result(made, PINN, "merging", load, heat), task_of(made, PINN)
    first, second = (block(made, PINN, load, heat, "5+7").weights(seed, 7) for seed in (0, 1))
    middle = Weights((first.parameters + second.parameters) / 2, first.buffers)
    wanted = distance(module_of(made, PINN, load, middle), task.test_inputs, load)
    at = found.sel(epoch=7)
    assert at["midpoint_error_naive"].item() == pytest.approx(wanted, rel=1e-5)
    # permuted units change the middle, not the ends
    assert at["midpoint_error_aligned"].item() != pytest.approx(wanted, rel=1e-5)
    ends = [
        distance(module_of(made, PINN, load, end), task.test_inputs, load)
        for end in (first, second)
    ]
    assert at["ends_error"].item() == pytest.approx(np.mean(ends), rel=1e-5)


@pytest.mark.parametrize(("load", "heat"), [(4, 7), (6, 13)])
def test_merged_transformers_are_judged_by_the_tokens(made: Tiny, load: float, heat: float) -> None:
    found, task = result(made, GPT, "merging", load, heat), task_of(made, GPT)
    first, second = (block(made, GPT, load, heat, "5+7").weights(seed, 7) for seed in (0, 1))
    middle = Weights((first.parameters + second.parameters) / 2, first.buffers)
    at = found.sel(epoch=7)
    _, wrong = tokens_wrong(module_of(made, GPT, load, middle), task)
    assert at["midpoint_error_naive"].item() == pytest.approx(wrong, rel=1e-6)
    ends = [tokens_wrong(module_of(made, GPT, load, end), task)[1] for end in (first, second)]
    assert at["ends_error"].item() == pytest.approx(np.mean(ends), rel=1e-6)
    assert at["matching_gain"].item() > 0


@pytest.mark.parametrize(("load", "heat"), [(1, 0.003), (2.5, 0.03)])
def test_networks_of_an_equation_are_tuned_on_another_coefficient(
    made: Tiny, load: float, heat: float
) -> None:
    spec = made.zoo(PINN)
    options = spec.transfer
    assert isinstance(options, Transfer)
    second = read_task(made.root / "data/fixed.json", CPU)
    names = (
        PINN, f"beta={spec.load.meaning.label(load)}",
        f"learning_rate={spec.temperature.meaning.label(heat)}", "seed=1",
    )  # fmt: skip
    weights = block(made, PINN, load, heat, "5+7").weights(1, 7)
    (gain,) = transfer(at_load(spec, load), [(weights, names)], 1, second, options, CPU)
    at = result(made, PINN, "transfer", load, heat).sel(seed=1, epoch=7)
    assert at["fine_tuned_error"].item() == pytest.approx(gain.fine_tuned_error, rel=1e-6)
    assert at["scratch_error"].item() == pytest.approx(gain.scratch_error, rel=1e-6)
    assert gain.fine_tuned_error != gain.scratch_error


@EACH
def test_published_models_answer_as_they_were_trained(
    made: Tiny, zoo: str, load: float, heat: float
) -> None:
    opened, spec, task = open_zoo(made.root / f"zoos/{zoo}.zarr"), made.zoo(zoo), task_of(made, zoo)
    cell = {spec.load.hyperparameter: load, spec.temperature.hyperparameter: heat}
    found = load_model(opened, seed=1, epoch=5, **cell)
    trained = module_of(made, zoo, load, block(made, zoo, load, heat, "5+7").weights(1, 5))
    inputs = task.test_inputs[:, :2] if zoo == PINN else task.test_inputs
    with torch.no_grad():
        assert torch.equal(found(inputs), trained(inputs))
    assert opened.phases.sizes["load"] == 2

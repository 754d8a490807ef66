"""A task is normalised on its training set, and its samples are fixed by name."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import oracles
from phasezoo.data.labelled import labelled
from phasezoo.data.task import Task, task_from
from phasezoo.spec.data import Digits
from phasezoo.spec.label_noise import LabelNoise
from phasezoo.spec.text import Pydoc


@pytest.fixture(scope="module")
def task() -> Task:
    noise = LabelNoise(fraction=0.1, seed=0)
    spec = Digits(source="digits", recipe=1, train=1201, split_seed=0, label_noise=noise)
    return task_from(labelled(spec), "digits", torch.device("cpu"))


def test_training_inputs_have_mean_0_and_variance_1_per_channel(task: Task) -> None:
    inputs = task.train_inputs.double()
    # 1,201 x 64 float32 numbers of order 1
    torch.testing.assert_close(inputs.mean((0, 2, 3)), torch.zeros(1).double(), rtol=0, atol=1e-6)
    torch.testing.assert_close(
        inputs.var((0, 2, 3), correction=0), torch.ones(1).double(), rtol=1e-6, atol=0
    )


def test_test_inputs_are_normalised_by_the_training_set(task: Task) -> None:
    spec = Digits(source="digits", recipe=1, train=1201, split_seed=0)
    data = labelled(spec)
    pixels = torch.from_numpy(data["image"].values.astype("float64"))
    train, test = pixels[:1201], pixels[1201:]
    expected = (test - train.mean()) / train.std(correction=0)
    torch.testing.assert_close(task.test_inputs.double(), expected, rtol=1e-5, atol=1e-6)


def test_training_sees_the_noise_and_testing_does_not(task: Task) -> None:
    clean = labelled(Digits(source="digits", recipe=1, train=1201, split_seed=0))["label"].values
    assert (task.train_labels.numpy() != clean[:1201]).sum() == 120
    assert (task.test_labels.numpy() == clean[1201:]).all()


def test_shapes_and_types_are_those_of_training(task: Task) -> None:
    assert task.shape == (1, 8, 8)
    assert task.classes == 10
    assert task.train_inputs.dtype == torch.float32
    assert task.train_labels.dtype == torch.int64


def test_inputs_and_targets_of_a_text_share_their_memory() -> None:
    spec = Pydoc(source="pydoc", recipe=1, context=13, train=37, test=11, split_seed=0)
    data = labelled(spec)
    task = task_from(data, "text", torch.device("cpu"))
    tokens = torch.from_numpy(data["token"].values.astype("int64"))
    assert torch.equal(task.train_inputs, tokens[:37, :-1])
    assert torch.equal(task.train_labels, tokens[:37, 1:])
    assert torch.equal(task.test_inputs, tokens[37:, :-1])
    assert torch.equal(task.test_labels, tokens[37:, 1:])
    storages = {t.untyped_storage().data_ptr() for t in (task.train_inputs, task.train_labels)}
    assert len(storages) == 1
    assert task.train_inputs.untyped_storage().nbytes() == 37 * 14 * 8


def test_a_sample_is_a_part_of_its_set_without_repetition() -> None:
    task = oracles.blobs()
    inputs, labels = task.training_sample(17, "hessian")
    rows = [int((task.train_inputs == x).all((1, 2, 3)).nonzero()) for x in inputs]
    assert len(set(rows)) == 17
    assert torch.equal(labels, task.train_labels[rows])
    inputs, labels = task.test_sample(13, "similarity")
    rows = [int((task.test_inputs == x).all((1, 2, 3)).nonzero()) for x in inputs]
    assert len(set(rows)) == 13
    assert torch.equal(labels, task.test_labels[rows])


def test_a_sample_is_fixed_by_the_names_of_data_and_purpose() -> None:
    task = oracles.blobs()
    first, _ = task.training_sample(17, "hessian")
    assert torch.equal(first, task.training_sample(17, "hessian")[0])
    assert not torch.equal(first, task.training_sample(17, "other")[0])
    assert not torch.equal(first, replace(task, name="b").training_sample(17, "hessian")[0])


def test_a_sample_of_more_than_there_is_is_the_whole_set() -> None:
    task = oracles.blobs()
    inputs, labels = task.training_sample(10_007, "hessian")
    assert torch.equal(inputs, task.train_inputs)
    assert torch.equal(labels, task.train_labels)

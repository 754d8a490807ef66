"""What is asked of digits changes their labels and classes, and neither images nor split."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from phasezoo.data.images import images
from phasezoo.data.inputs import Inputs, inputs_of
from phasezoo.data.task import task_from
from phasezoo.spec.data import Digits
from phasezoo.spec.jobs import DataJob

PLAIN = Digits(source="digits", recipe=1, train=1009, split_seed=3)


def asked(question: str, **changes: object) -> Digits:
    return PLAIN.model_copy(update={"question": question, **changes})


@pytest.mark.parametrize(
    ("question", "answer"),
    [("digit", lambda d: d), ("parity", lambda d: d % 2), ("size", lambda d: d >= 5)],
)
def test_the_label_is_the_answer_and_all_else_stays(question: str, answer) -> None:
    plain, found = images(PLAIN), images(asked(question))
    assert np.array_equal(found["label"], answer(plain["label"].values))
    for name in ("image", "split", "sample", "mean", "standard_deviation"):
        assert np.array_equal(found[name], plain[name])


def test_a_part_of_the_training_set_is_the_same_whatever_is_asked() -> None:
    found = [images(asked(question, keep=53)) for question in ("digit", "parity", "size")]
    assert np.array_equal(found[0]["sample"], found[1]["sample"])
    assert np.array_equal(found[1]["sample"], found[2]["sample"])


@pytest.mark.parametrize(("question", "classes"), [("digit", 10), ("parity", 2), ("size", 2)])
def test_networks_have_as_many_outputs_as_there_are_answers(question: str, classes: int) -> None:
    spec = asked(question)
    assert inputs_of(spec) == Inputs((1, 8, 8), classes)
    task = task_from(images(spec), "asked", torch.device("cpu"))
    assert task.classes == classes
    assert set(task.train_labels.tolist()) == set(range(classes))


def test_a_wrong_label_is_another_answer() -> None:
    noise = {"fraction": 0.25, "seed": 0}
    spec = Digits.model_validate(asked("parity").model_dump() | {"label_noise": noise})
    data = images(spec)
    wrong = data["label"].values != data["given_label"].values
    assert wrong.sum() == round(0.25 * 1009)
    assert set(np.unique(data["given_label"])) == {0, 1}


def test_the_job_of_a_data_set_that_is_not_asked_is_told_as_before() -> None:
    told = json.loads(DataJob(name="digits", spec=PLAIN).model_dump_json())
    assert list(told["spec"]) == [
        "source", "recipe", "train", "split_seed", "keep", "rotation", "label_noise",
    ]  # fmt: skip

"""Inputs and outputs of networks, told before there are data, are those of the task."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pydantic import TypeAdapter

from phasezoo.data.inputs import Inputs, inputs_of, needs_download
from phasezoo.data.labelled import labelled
from phasezoo.data.task import task_from
from phasezoo.spec.data import DataSpec
from phasezoo.spec.published import SETS

OFTEN = {"recipe": 1, "split_seed": 0}
LETTERS = {"source": "letters", "letters": 3, "size": 5, "copies": 1, "train": 31, "seed": 0}
LETTERS |= {"tilt": 10, "shift": 1, "zoom": 0.1}
HERE: list[dict[str, Any]] = [
    OFTEN | {"source": "digits", "train": 211},
    OFTEN | LETTERS,
    OFTEN | {"source": "pydoc", "context": 13, "train": 31, "test": 7},
    OFTEN | {"source": "pydoc", "context": 13, "train": 31, "test": 7, "split_seed": 3},
    *(
        OFTEN | {"source": name, "coefficient": 2, "interior": 41, "boundary": 7, "grid": [13, 11]}
        for name in ("convection", "reaction", "wave")
    ),
    OFTEN | {"source": "quadrant", "train": 13, "test": 7},
]
ELSEWHERE = {"url": "https://example.org/set.npz", "sha256": "0" * 64}


def spec_of(given: dict[str, Any]) -> DataSpec:
    return TypeAdapter(DataSpec).validate_python(given)


@pytest.mark.parametrize("given", HERE, ids=lambda given: f"{given['source']}{given['split_seed']}")
def test_what_is_known_before_is_what_the_task_has(given: dict[str, Any]) -> None:
    spec = spec_of(given)
    task = task_from(labelled(spec), "set", torch.device("cpu"))
    assert inputs_of(spec) == Inputs(task.shape, task.classes)
    assert not needs_download(spec)


@pytest.mark.parametrize("name", SETS)
def test_published_sets_are_known_by_their_numbers(name: str) -> None:
    spec = spec_of({"source": name, "recipe": 1})
    assert inputs_of(spec) == Inputs(SETS[name].shape, SETS[name].classes)
    assert needs_download(spec)


def test_pages_of_the_web_have_the_vocabulary_of_gpt_2() -> None:
    spec = spec_of(OFTEN | {"source": "openwebtext", "context": 31, "train": 7, "test": 5})
    assert inputs_of(spec) == Inputs((31,), 256 + 50_000 + 1)
    assert needs_download(spec)


def test_an_archive_of_the_web_is_not_known_before_it_is_here() -> None:
    spec = spec_of(OFTEN | ELSEWHERE | {"source": "npz", "train": 7})
    assert inputs_of(spec) is None
    assert needs_download(spec)


def test_the_vocabulary_of_another_python_is_not_known() -> None:
    assert inputs_of(spec_of(HERE[2] | {"sha256": "0" * 64})) is None

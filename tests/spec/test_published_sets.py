"""Published sets have their numbers before anything is downloaded, and refuse what does not fit."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from phasezoo.spec import SpecError, jobs, study_from
from phasezoo.spec.published import SETS
from phasezoo.spec.training import Augmentation

GIVEN: dict[str, Any] = yaml.safe_load(Path("tests/study.yaml").read_text())
SAMPLES = {  # as their authors state them
    "mnist": (60_000, 10_000),
    "cifar10": (50_000, 10_000),
    "cifar100": (50_000, 10_000),
    "svhn": (73_257, 26_032),
    "tiny-imagenet": (100_000, 10_000),
    "stl10": (5_000, 8_000),
}


def study(data: dict[str, Any], **training: Any) -> dict[str, Any]:
    spec = copy.deepcopy(GIVEN)
    del spec["zoos"]["digits-resnet"]
    spec["zoos"]["digits-mlp"]["training"] |= training
    spec["zoos"]["digits-mlp"]["dataset"] = "set"
    spec["zoos"]["digits-mlp"]["transfer"]["head"] = "fresh"  # classes may differ
    spec["data"]["set"] = {"recipe": 1} | data
    return spec


def refusal(spec: dict[str, Any]) -> str:
    with pytest.raises(SpecError) as error:
        study_from(spec)
    (line,) = str(error.value).splitlines()
    return line


@pytest.mark.parametrize("name", list(SETS))
def test_a_name_is_enough(name: str) -> None:
    found = study_from(study({"source": name})).data["set"]
    assert found.training_samples == SAMPLES[name][0] == SETS[name].train
    assert SETS[name].test == SAMPLES[name][1]
    assert found.origin == name


@pytest.mark.parametrize("name", list(SETS))
def test_batches_are_not_larger_than_the_training_set(name: str) -> None:
    samples = SAMPLES[name][0]
    spec = study({"source": name})
    heat = spec["zoos"]["digits-mlp"]["temperature"]
    heat["values"] = [[8, samples]]
    study_from(spec)
    heat["values"] = [[8, samples + 1]]
    assert f"got {samples + 1}; allowed: at most {samples}, the training samples" in refusal(spec)


def test_what_is_kept_is_the_training_set() -> None:
    spec = study({"source": "svhn", "keep": 512})
    assert study_from(spec).data["set"].training_samples == 512
    spec["zoos"]["digits-mlp"]["temperature"]["values"] = [[513]]
    assert "allowed: at most 512" in refusal(spec)


@pytest.mark.parametrize(
    ("name", "keep", "allowed"),
    [
        ("cifar10", 9, "10 to 49990, so that each class stays on either side; or null"),
        ("cifar10", 49_991, "10 to 49990"),
        ("cifar10", 50_001, "10 to 49990"),
        ("cifar100", 99, "100 to 49900"),
        ("svhn", 15, "16 to 73241"),  # nines are rare
        ("mnist", 11, "12 to 59988"),
        ("tiny-imagenet", 199, "200 to 99800"),
        ("stl10", 1, "at least 2"),
    ],
)
def test_a_part_without_room_for_each_class_is_refused(name: str, keep: int, allowed: str) -> None:
    line = refusal(study({"source": name, "keep": keep}))
    assert line.startswith(f"params.yaml: data.set.keep: got {keep}; allowed: {allowed}")


def test_keeping_the_whole_set_is_allowed() -> None:
    found = study_from(study({"source": "cifar10", "keep": 50_000})).data["set"]
    assert found.training_samples == 50_000


@pytest.mark.parametrize("key", ["train", "split_seed", "url"])
def test_the_split_is_not_for_choosing(key: str) -> None:
    line = refusal(study({"source": "cifar10", key: 7}))
    assert f"data.set.{key}: got 7; allowed: one of the keys source, recipe, keep" in line


def test_two_data_sets_of_one_source_share_their_test_set() -> None:
    """So a model may be fine-tuned on a part of what it was trained on."""
    spec = study({"source": "cifar10"})
    spec["data"]["few"] = {"source": "cifar10", "recipe": 1, "keep": 500, "rotation": 20}
    spec["zoos"]["digits-mlp"]["transfer"]["dataset"] = "few"
    data = study_from(spec).data
    assert data["set"].origin == data["few"].origin
    assert data["set"].division == data["few"].division


def test_an_augmentation_reaches_the_jobs_that_train() -> None:
    disturbed = {"crop": 4, "flip": True, "rotation": 20}
    zoo = study_from(study({"source": "cifar10"}, augmentation=disturbed)).zoos["digits-mlp"]
    found = jobs.at_temperature(zoo, 32)
    assert found.augmentation == Augmentation(crop=4, flip=True, rotation=20.0)
    told = found.model_dump_json()
    assert told.endswith('"augmentation":{"crop":4,"flip":true,"rotation":20.0}}')
    assert type(found).model_validate_json(told) == found


def test_without_an_augmentation_jobs_are_told_as_ever() -> None:
    zoo = study_from(study({"source": "cifar10"})).zoos["digits-mlp"]
    assert "augmentation" not in jobs.at_temperature(zoo, 32).model_dump_json()
    assert "augmentation" not in zoo.model_dump_json()


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("crop", -1, "at least 0"),
        ("crop", 1.5, "a whole number"),
        ("flip", 1, "true or false"),
        ("rotation", -5, "at least 0"),
        ("rotation", 181, "at most 180"),
        ("crop", 0, "more than 0, or flip or rotation; or leave it out"),
        ("mixup", 0.1, "one of the keys crop, flip, rotation"),
    ],
)
def test_an_augmentation_that_cannot_be_is_refused(key: str, value: Any, allowed: str) -> None:
    line = refusal(study({"source": "cifar10"}, augmentation={key: value}))
    assert f"zoos.digits-mlp.training.augmentation.{key}: got {value}; allowed: {allowed}" in line

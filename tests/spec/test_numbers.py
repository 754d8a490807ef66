"""Further numbers are asked for, and a zoo that does not ask reads as it did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from phasezoo.spec import SpecError, study_from
from phasezoo.spec.numbers import GradientNoise, LocalLearning, WeightSpectra
from phasezoo.spec.zoo import Zoo

STUDY = Path(__file__).parents[1] / "study.yaml"
NAME = "digits-mlp"
LEARNING: dict[str, Any] = {
    "epochs": [60],
    "samples": 1000,
    "chains": 4,
    "steps": 400,
    "burn_in": 300,
    "step_size": "1e-4",
    "localisation": 100,
    "batch_size": 32,
}


def zoo(**numbers: object) -> Zoo:
    spec: dict[str, Any] = yaml.safe_load(STUDY.read_text(encoding="utf-8"))
    spec["zoos"] = {NAME: json.loads(json.dumps(spec["zoos"][NAME]))}
    spec["zoos"][NAME]["metrics"].update(numbers)
    return study_from(spec).zoos[NAME]


def test_each_is_a_family_of_its_own_where_it_is_asked_for() -> None:
    asked = zoo(
        spectra={"epochs": [0, 60]},
        noise={"epochs": [60], "samples": 500},
        learning_coefficient=LEARNING,
    )
    kinds = {family.family: type(family) for family in asked.families}
    assert kinds["spectra"] is WeightSpectra
    assert kinds["noise"] is GradientNoise
    assert kinds["learning_coefficient"] is LocalLearning
    assert Zoo.model_validate_json(asked.model_dump_json()) == asked


def test_a_zoo_that_does_not_ask_is_told_to_jobs_as_before() -> None:
    plain = zoo()
    told = json.loads(plain.model_dump_json())["metrics"]
    assert not {"spectra", "noise", "learning_coefficient"} & set(told)
    families = {family.family for family in plain.families}
    assert not {"spectra", "noise", "learning_coefficient"} & families


@pytest.mark.parametrize(
    ("family", "given", "message"),
    [
        ("spectra", {"epochs": [31]}, "metrics.spectra.epochs: got 31; allowed: the saved"),
        ("spectra", {"epochs": [60], "samples": 5}, "metrics.spectra.samples: got 5"),
        ("noise", {"epochs": [60], "samples": 2}, "noise.samples: got 2; allowed: at least 3"),
        ("learning_coefficient", LEARNING | {"chains": 1}, "chains: got 1; allowed: at least 2"),
        ("learning_coefficient", LEARNING | {"steps": 7}, "steps: got 7; allowed: at least 8"),
        (
            "learning_coefficient",
            LEARNING | {"step_size": 0},
            "step_size: got 0; allowed: greater than 0",
        ),
        (
            "learning_coefficient",
            LEARNING | {"batch_size": 1001},
            "batch_size: got 1001; allowed: at most 1000, the samples it is drawn from",
        ),
    ],
)
def test_wrong_settings_are_refused_by_name(
    family: str, given: dict[str, object], message: str
) -> None:
    with pytest.raises(SpecError) as refusal:
        zoo(**{family: given})
    assert message in str(refusal.value)

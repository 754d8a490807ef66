"""Learning is asked for, needs its numbers, and is not seen by a zoo that does not ask."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from phasezoo import paths
from phasezoo.plan import Plan
from phasezoo.spec import SpecError, Study, study_from
from phasezoo.spec.numbers import WeightStatistics

STUDY = Path(__file__).parents[1] / "study.yaml"
NAME = "digits-mlp"


def study(learning: object = None, statistics: object = None) -> Study:
    spec: dict[str, Any] = yaml.safe_load(STUDY.read_text(encoding="utf-8"))
    spec["zoos"] = {NAME: json.loads(json.dumps(spec["zoos"][NAME]))}
    zoo = spec["zoos"][NAME]
    zoo |= {"learning": learning} if learning else {}
    zoo["metrics"] |= {"statistics": statistics} if statistics else {}
    return study_from(spec)


def test_a_zoo_that_does_not_ask_is_told_to_jobs_as_before() -> None:
    plain = study().zoos[NAME]
    told = json.loads(plain.model_dump_json())
    assert "learning" not in told
    assert "statistics" not in told["metrics"]
    assert not any("learning" in path for path in Plan(study()).everything())
    report = json.loads(Plan(study()).report_job())
    assert report == {"zoos": {NAME: ["metrics", "merging", "transfer", "explained"]}}


def test_one_that_asks_has_one_more_result_that_is_published_and_reported() -> None:
    plan = Plan(study({"epochs": [60]}, {"epochs": [30, 60]}))
    zoo = plan.zoos[NAME]
    assert WeightStatistics in {type(family) for family in zoo.families}
    assert (zoo.learning.folds, zoo.learning.left_out) == (5, ("model", "cell"))
    added = paths.LEARNING.format(zoo=NAME)
    assert added in plan.everything()
    assert added in plan.reported()
    at = type("At", (), {"zoo": NAME})()
    assert added in plan.results(at)
    assert json.loads(plan.publish_job(at))["groups"][-3:-1] == ["phases", "learning"]
    assert json.loads(plan.learning_job(at))["options"] == json.loads(
        zoo.learning.model_dump_json()
    )


@pytest.mark.parametrize(
    ("learning", "statistics", "said"),
    [
        ({"epochs": [60]}, None, "learning.epochs: got 60; allowed: epochs of metrics.statistics"),
        ({"epochs": [60]}, {"epochs": [30]}, "allowed: epochs of metrics.statistics"),
        ({"epochs": [52]}, {"epochs": [52]}, "allowed: epochs of metrics.evaluation"),
        (
            {"epochs": [60], "folds": 1},
            {"epochs": [60]},
            "learning.folds: got 1; allowed: at least 2",
        ),
        ({"epochs": [60], "left_out": []}, {"epochs": [60]}, "learning.left_out"),
        (
            {"epochs": [60], "left_out": ["seed"]},
            {"epochs": [60]},
            "allowed: one of 'model' or 'cell'",
        ),
        ({"epochs": []}, {"epochs": [60]}, "learning.epochs"),
    ],
)
def test_what_cannot_be_learned_is_refused(learning: object, statistics: object, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        study(learning, statistics)
